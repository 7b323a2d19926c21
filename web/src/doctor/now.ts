// What may be called "now" of a person's readings: the newest value that is neither late nor held
// back, how old it is, and when it is too old to be shown as now. Plain functions, no clock.

import type {
  DeviceKind,
  FaultReason,
  MeasuredOutcome,
  Quantity,
  ReadingRow,
  Unit,
} from "../wire/types";
import { measuredAt, STALE_AFTER_MS } from "../wire/vitals";

/** A running value older than this is no longer shown as now. */
export const RUNNING_BLANKS_MS = 60_000;
/** The pressure in the cuff moves a picture for so long after its last frame. */
export const CUFF_FILLING_MS = 5_000;

/** A number as the device said it, with its unit. */
export interface Figure {
  readonly text: string;
  readonly unit: Unit;
}

/** Where and when a tile's value comes from. */
export interface Source {
  readonly row: ReadingRow;
  /** When it was measured, by the gateway's or the device's clock. */
  readonly at: number;
  /** Milliseconds since it became durable at the broker. */
  readonly ageMs: number;
}

export type Tile =
  /** Nothing was measured yet. */
  | { readonly state: "empty" }
  /** A value that may be read as now. */
  | {
      readonly state: "now";
      readonly figures: ReadonlyMap<Quantity, Figure>;
      readonly source: Source;
    }
  /** Over 10 seconds old (a cuff's: over 15 minutes): greyed, with its age. */
  | {
      readonly state: "stale";
      readonly figures: ReadonlyMap<Quantity, Figure>;
      readonly source: Source;
    }
  /** Over 60 seconds old: no number. */
  | { readonly state: "blank"; readonly source: Source }
  /** The newest attempt gave no number: an error to staff, with what the device says about it. */
  | {
      readonly state: "fault";
      readonly source: Source;
      /** Absent when a running measurement only says why it has no number (a finger out). */
      readonly reason: FaultReason | undefined;
    };

export interface Vitals {
  readonly cuff: Tile;
  readonly oximeter: Tile;
  /** The pulse, from the oximeter while it runs, else from the cuff. */
  readonly pulse: { readonly tile: Tile; readonly from: DeviceKind };
  /** The cuff is filling: the pressure in it, which is no blood pressure. */
  readonly cuffFilling: Figure | undefined;
  /**
   * When a value was measured that came late and is newer than what the tile shows. It is in the
   * trend and never on the tile; the tile only says so.
   */
  readonly newerLate: { readonly cuff: number | undefined; readonly oximeter: number | undefined };
}

/** The numbers of a row; words in place of numbers and withheld ones are not among them. */
export function figuresOf({ outcome }: ReadingRow): ReadonlyMap<Quantity, Figure> {
  const figures = new Map<Quantity, Figure>();
  for (const { what, value, unit } of outcome.type === "reading" ? outcome.measurements : []) {
    if (value.type === "number") figures.set(what, { text: value.value, unit });
  }
  return figures;
}

/** What stands on the tiles at the broker's time `now`. */
export function vitalsAt(rows: readonly ReadingRow[], now: number): Vitals {
  const cuff = newest(rows, isPressure);
  const oximeter = newest(rows, isFinger);
  const filling = newest(
    rows,
    (outcome) => outcome.characteristic === "intermediate_cuff_pressure",
  );
  const tiles = { cuff: cuffTile(cuff, now), oximeter: runningTile(oximeter, now) };
  return {
    ...tiles,
    pulse: pulseOf(tiles.cuff, tiles.oximeter),
    cuffFilling: fillingOf(filling, cuff, now),
    newerLate: {
      cuff: newerLate(rows, cuff, isPressure),
      oximeter: newerLate(rows, oximeter, isFinger),
    },
  };
}

const isPressure = (outcome: MeasuredOutcome) => outcome.characteristic === "blood_pressure";
const isFinger = (outcome: MeasuredOutcome) => outcome.device.kind === "oximeter";

/** The newest late value after what the tile shows; a late failure is no value. */
function newerLate(
  rows: readonly ReadingRow[],
  shown: ReadingRow | undefined,
  fits: (outcome: MeasuredOutcome) => boolean,
): number | undefined {
  let newest = shown ? measuredAt(shown) : Number.NEGATIVE_INFINITY;
  let found: number | undefined;
  for (const row of rows) {
    if (!row.late || row.quarantined || !fits(row.outcome)) continue;
    const at = measuredAt(row);
    if (at <= newest || !hasMain(row)) continue;
    newest = at;
    found = at;
  }
  return found;
}

/** A cuff's pulse alone is no blood pressure, an oximeter's pulse alone is a value. */
function hasMain(row: ReadingRow): boolean {
  const figures = figuresOf(row);
  if (isPressure(row.outcome)) return figures.has("systolic") || figures.has("mean_arterial");
  return figures.size > 0;
}

/** The newest row by the time of measuring that may be called now at all. */
function newest(
  rows: readonly ReadingRow[],
  fits: (outcome: MeasuredOutcome) => boolean,
): ReadingRow | undefined {
  let best: ReadingRow | undefined;
  for (const row of rows) {
    if (row.late || row.quarantined || !fits(row.outcome)) continue;
    const at = measuredAt(row);
    const bestAt = best ? measuredAt(best) : Number.NEGATIVE_INFINITY;
    if (!best || at > bestAt || (at === bestAt && row.seq > best.seq)) best = row;
  }
  return best;
}

function sourceOf(row: ReadingRow, now: number): Source {
  return { row, at: measuredAt(row), ageMs: Math.max(0, now - row.stored) };
}

function cuffTile(row: ReadingRow | undefined, now: number): Tile {
  if (!row) return { state: "empty" };
  const source = sourceOf(row, now);
  const figures = figuresOf(row);
  // A cuff's pulse alone is no blood pressure: without one, the measurement failed.
  if (!figures.has("systolic") && !figures.has("mean_arterial")) return faultTile(source);
  return { state: source.ageMs > STALE_AFTER_MS.pressure ? "stale" : "now", figures, source };
}

function runningTile(row: ReadingRow | undefined, now: number): Tile {
  if (!row) return { state: "empty" };
  const source = sourceOf(row, now);
  if (source.ageMs > RUNNING_BLANKS_MS) return { state: "blank", source };
  const figures = figuresOf(row);
  if (figures.size === 0) return faultTile(source);
  return { state: source.ageMs > STALE_AFTER_MS.spo2 ? "stale" : "now", figures, source };
}

function faultTile(source: Source): Tile {
  const { outcome } = source.row;
  return { state: "fault", source, reason: outcome.type === "fault" ? outcome.reason : undefined };
}

function pulseOf(cuff: Tile, oximeter: Tile): Vitals["pulse"] {
  const has = (tile: Tile) =>
    (tile.state === "now" || tile.state === "stale") && tile.figures.has("pulse_rate");
  if (has(oximeter)) return { tile: oximeter, from: "oximeter" };
  if (has(cuff)) return { tile: cuff, from: "cuff" };
  return { tile: oximeter, from: "oximeter" };
}

function fillingOf(
  filling: ReadingRow | undefined,
  ended: ReadingRow | undefined,
  now: number,
): Figure | undefined {
  if (!filling || now - filling.stored > CUFF_FILLING_MS) return undefined;
  if (ended && ended.seq > filling.seq) return undefined;
  return figuresOf(filling).get("cuff_pressure");
}
