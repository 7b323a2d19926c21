// A person's readings as lines over time: one line a quantity, a gap where nothing was measured,
// and a band over each stretch that came late. Plain functions, no clock.

import type { Quantity, ReadingRow } from "../wire/types";
import {
  figuresOf,
  isUnderWay,
  isWithdrawn,
  measuredAt,
  waitsForConfirmation,
} from "../wire/vitals";

/** The lines that are drawn. A cuff's pulse and an oximeter's are two, never joined. */
export const LINES = [
  "systolic",
  "diastolic",
  "mean",
  "spo2",
  "pulse_oximeter",
  "pulse_cuff",
  "heart_rate",
  "respiration",
  "temperature",
] as const;
export type Line = (typeof LINES)[number];

const RUNNING: readonly Line[] = ["spo2", "pulse_oximeter", "heart_rate", "respiration"];

/** A running line is interrupted where no value came for so long. */
export const RUNNING_GAP_MS = 10_000;
/** Single measurements further apart than this are not joined by a line. */
export const SINGLE_GAP_MS = 60 * 60_000;

/** For uPlot: `null` interrupts a line, `undefined` is another line's moment. */
export type Sparse = (number | null | undefined)[];

/** Late stretches further apart than this are two, even when nothing was measured between them. */
export const BAND_GAP_MS = 15 * 60_000;

/** A stretch in which all that was measured came late: seconds since 1970, both ends within. */
export interface LateBand {
  readonly from: number;
  readonly to: number;
}

export interface Trend {
  /** Seconds since 1970, rising, without repeats. */
  readonly x: number[];
  readonly lines: Record<Line, Sparse>;
  readonly late: LateBand[];
  /** Moments of attempts that gave no number. */
  readonly faults: number[];
  /** Moments of values that wait for somebody to look again: marked, and in no line. */
  readonly waiting: number[];
}

interface Point {
  readonly at: number;
  readonly y: number;
}

/** Everything measured from `from` on, in milliseconds since 1970. */
export function trendOf(rows: readonly ReadingRow[], from = 0): Trend {
  const points = Object.fromEntries(LINES.map((line) => [line, []])) as unknown as Record<
    Line,
    Point[]
  >;
  const faults: number[] = [];
  const waiting: number[] = [];
  const arrivals: Arrival[] = [];
  for (const row of rows) {
    const at = measuredAt(row);
    if (at < from || isLeftOut(row)) continue;
    arrivals.push({ at, late: row.late });
    if (waitsForConfirmation(row)) {
      waiting.push(at / 1_000);
      continue;
    }
    const figures = figuresOf(row);
    if (figures.size === 0) faults.push(at / 1_000);
    for (const [what, figure] of figures) {
      const line = lineOf(what, row);
      if (line) points[line].push({ at, y: Number(figure.text) });
    }
  }
  return { ...joined(points), faults, waiting, late: lateBands(arrivals) };
}

interface Arrival {
  /** When it was measured, in milliseconds since 1970. */
  readonly at: number;
  readonly late: boolean;
}

/** One band over each run of late ones; whatever came in time between them ends the run. */
export function lateBands(arrivals: readonly Arrival[]): LateBand[] {
  const bands: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | undefined;
  for (const { at, late } of [...arrivals].sort((a, b) => a.at - b.at)) {
    if (!late) {
      open = undefined;
      continue;
    }
    const seconds = at / 1_000;
    if (open && at - open.to * 1_000 <= BAND_GAP_MS) open.to = seconds;
    else {
      open = { from: seconds, to: seconds };
      bands.push(open);
    }
  }
  return bands;
}

/** Whether a moment, in seconds, lies in a late stretch. */
export function isLate(bands: readonly LateBand[], x: number): boolean {
  return bands.some(({ from, to }) => from <= x && x <= to);
}

/** A picture of a measurement under way, and what does not count, belong in no trend. */
function isLeftOut(row: ReadingRow): boolean {
  return row.quarantined || isUnderWay(row) || isWithdrawn(row);
}

function lineOf(what: Quantity, row: ReadingRow): Line | undefined {
  switch (what) {
    case "systolic":
    case "diastolic":
    case "spo2":
      return what;
    case "mean_arterial":
      return "mean";
    case "pulse_rate":
      // A person's count is a single one, as a cuff's is.
      return row.outcome.device.kind === "oximeter" ? "pulse_oximeter" : "pulse_cuff";
    case "temperature":
    case "heart_rate":
      return what;
    case "respiration_rate":
      return "respiration";
    case "cuff_pressure":
    case "spo2_fast":
    case "spo2_slow":
    case "pulse_rate_fast":
    case "pulse_rate_slow":
    case "pulse_amplitude_index":
    case "rr_interval":
    case "energy_expended":
    case "weight":
    case "height":
    case "body_mass_index":
    case "body_fat":
    case "basal_metabolism":
    case "muscle_percentage":
    case "muscle_mass":
    case "fat_free_mass":
    case "soft_lean_mass":
    case "body_water_mass":
    case "impedance":
    case "glucose":
      return undefined;
  }
}

function joined(points: Record<Line, Point[]>): Pick<Trend, "x" | "lines"> {
  const moments = new Map<number, Partial<Record<Line, number | null>>>();
  const put = (at: number, line: Line, y: number | null) => {
    const moment = moments.get(at) ?? {};
    moment[line] = y;
    moments.set(at, moment);
  };
  for (const line of LINES) {
    const sorted = points[line].sort((a, b) => a.at - b.at);
    const gap = RUNNING.includes(line) ? RUNNING_GAP_MS : SINGLE_GAP_MS;
    let before: Point | undefined;
    for (const point of sorted) {
      // The interruption stands one millisecond after the last value before it.
      if (before && point.at - before.at > gap) put(before.at + 1, line, null);
      put(point.at, line, point.y);
      before = point;
    }
  }
  const x = [...moments.keys()].sort((a, b) => a - b);
  const lines = Object.fromEntries(
    LINES.map((line) => [line, x.map((at) => moments.get(at)?.[line])]),
  ) as Record<Line, Sparse>;
  return { x: x.map((at) => at / 1_000), lines };
}
