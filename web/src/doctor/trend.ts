// A person's readings as lines over time: one line a quantity, a gap where nothing was measured,
// and the points that came late marked as such. Plain functions, no clock.

import type { Quantity, ReadingRow } from "../wire/types";
import { measuredAt } from "../wire/vitals";
import { figuresOf } from "./now";

/** The lines that are drawn. A cuff's pulse and an oximeter's are two, never joined. */
export const LINES = [
  "systolic",
  "diastolic",
  "mean",
  "spo2",
  "pulse_oximeter",
  "pulse_cuff",
] as const;
export type Line = (typeof LINES)[number];

/** A running line is interrupted where no value came for so long. */
export const RUNNING_GAP_MS = 10_000;
/** Single measurements further apart than this are not joined by a line. */
export const SINGLE_GAP_MS = 60 * 60_000;

/** For uPlot: `null` interrupts a line, `undefined` is another line's moment. */
export type Sparse = (number | null | undefined)[];

export interface LatePoint {
  readonly line: Line;
  /** Seconds since 1970. */
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  /** Seconds since 1970, rising, without repeats. */
  readonly x: number[];
  readonly lines: Record<Line, Sparse>;
  readonly late: LatePoint[];
  /** Moments of attempts that gave no number. */
  readonly faults: number[];
}

interface Point {
  readonly at: number;
  readonly y: number;
  readonly late: boolean;
}

/** Everything measured from `from` on, in milliseconds since 1970. */
export function trendOf(rows: readonly ReadingRow[], from = 0): Trend {
  const points = Object.fromEntries(LINES.map((line) => [line, []])) as unknown as Record<
    Line,
    Point[]
  >;
  const faults: number[] = [];
  for (const row of rows) {
    const at = measuredAt(row);
    if (row.quarantined || at < from || isPicture(row)) continue;
    const figures = figuresOf(row);
    if (figures.size === 0) faults.push(at / 1_000);
    for (const [what, figure] of figures) {
      const line = lineOf(what, row);
      if (line) points[line].push({ at, y: Number(figure.text), late: row.late });
    }
  }
  return { ...joined(points), faults };
}

/** The pressure in the cuff moves a picture and belongs in no trend. */
function isPicture(row: ReadingRow): boolean {
  return row.outcome.characteristic === "intermediate_cuff_pressure";
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
      return row.outcome.device.kind === "cuff" ? "pulse_cuff" : "pulse_oximeter";
    case "cuff_pressure":
    case "spo2_fast":
    case "spo2_slow":
    case "pulse_rate_fast":
    case "pulse_rate_slow":
    case "pulse_amplitude_index":
      return undefined;
  }
}

function joined(points: Record<Line, Point[]>): Omit<Trend, "faults"> {
  const moments = new Map<number, Partial<Record<Line, number | null>>>();
  const late: LatePoint[] = [];
  const put = (at: number, line: Line, y: number | null) => {
    const moment = moments.get(at) ?? {};
    moment[line] = y;
    moments.set(at, moment);
  };
  for (const line of LINES) {
    const sorted = points[line].sort((a, b) => a.at - b.at);
    const gap = line === "spo2" || line === "pulse_oximeter" ? RUNNING_GAP_MS : SINGLE_GAP_MS;
    let before: Point | undefined;
    for (const point of sorted) {
      // The interruption stands one millisecond after the last value before it.
      if (before && point.at - before.at > gap) put(before.at + 1, line, null);
      put(point.at, line, point.y);
      if (point.late) late.push({ line, x: point.at / 1_000, y: point.y });
      before = point;
    }
  }
  const x = [...moments.keys()].sort((a, b) => a - b);
  const lines = Object.fromEntries(
    LINES.map((line) => [line, x.map((at) => moments.get(at)?.[line])]),
  ) as Record<Line, Sparse>;
  return { x: x.map((at) => at / 1_000), lines, late };
}
