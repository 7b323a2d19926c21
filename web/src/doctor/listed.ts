// Which readings stand in the table: every single one, and one a minute of what runs, so that a
// pressure is not lost among the seconds of an oximeter. Pure.

import type { ReadingRow } from "../wire/types";
import { isRunning, isUnderWay, measuredAt, waitsForConfirmation } from "../wire/vitals";

/** Rows in the table; beyond, the oldest leave it. */
export const ROWS_MAX = 200;
const MINUTE_MS = 60_000;

/** The rows of the table, newest first. */
export function listedOf(rows: readonly ReadingRow[]): ReadingRow[] {
  const minutes = new Set<string>();
  return rows
    .filter((row) => !row.quarantined && !isUnderWay(row))
    .sort((a, b) => measuredAt(b) - measuredAt(a))
    .filter((row) => {
      if (standsAlone(row)) return true;
      const { id } = row.outcome.device;
      const minute = `${id} ${Math.floor(measuredAt(row) / MINUTE_MS)} ${row.late}`;
      if (minutes.has(minute)) return false;
      minutes.add(minute);
      return true;
    })
    .slice(0, ROWS_MAX);
}

/** A single measurement, or one that somebody did something about or has to. */
function standsAlone(row: ReadingRow): boolean {
  if (!isRunning(row.outcome.device.kind)) return true;
  return row.checked !== null || row.assigned !== null || waitsForConfirmation(row);
}
