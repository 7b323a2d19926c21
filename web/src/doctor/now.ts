// What the doctor's tiles tell beyond the values of now: the pressure in a cuff that is filling.
// Plain functions, no clock.

import type { ReadingRow } from "../wire/types";
import { type Figure, figuresOf, measuredAt } from "../wire/vitals";

/** The pressure in the cuff moves a picture for so long after its last frame. */
export const CUFF_FILLING_MS = 5_000;

/** The pressure in a cuff that fills at the broker's time `now`; it is no blood pressure. */
export function cuffFillingAt(rows: readonly ReadingRow[], now: number): Figure | undefined {
  const ofCuff = (characteristic: ReadingRow["outcome"]["characteristic"]) =>
    newest(rows, (row) => row.outcome.characteristic === characteristic);
  const filling = ofCuff("intermediate_cuff_pressure");
  if (!filling || now - filling.stored > CUFF_FILLING_MS) return undefined;
  const ended = ofCuff("blood_pressure");
  if (ended && ended.seq > filling.seq) return undefined;
  return figuresOf(filling).get("cuff_pressure");
}

/** The newest row by the time of measuring that came in time and is not held back. */
function newest(
  rows: readonly ReadingRow[],
  fits: (row: ReadingRow) => boolean,
): ReadingRow | undefined {
  let best: ReadingRow | undefined;
  for (const row of rows) {
    if (row.late || row.quarantined || !fits(row)) continue;
    const [at, bestAt] = [measuredAt(row), best ? measuredAt(best) : Number.NEGATIVE_INFINITY];
    if (!best || at > bestAt || (at === bestAt && row.seq > best.seq)) best = row;
  }
  return best;
}
