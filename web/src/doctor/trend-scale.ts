// How far a chart's scale goes: wide enough for what people show, and no value, however real, stretches
// it until the others are a flat line. What lies beyond stands at the edge with its number. Pure.

import type { Line, Trend } from "./trend";

/** From and to; `null` where nothing was measured. */
type Seen = number | null;

interface Bounds {
  /** Always shown. */
  readonly least: readonly [number, number];
  /** Never shown beyond. */
  readonly most: readonly [number, number];
  /** Room below the lowest and above the highest. */
  readonly room: readonly [number, number];
}

export const PRESSURE: Bounds = { least: [40, 160], most: [0, 260], room: [10, 15] };
export const SATURATION: Bounds = { least: [88, 101], most: [50, 101], room: [2, 0] };
export const TEMPERATURE: Bounds = { least: [35, 40], most: [30, 43], room: [0.5, 0.5] };

export function rangeOf({ least, most, room }: Bounds, min: Seen, max: Seen): [number, number] {
  const low = min === null ? least[0] : Math.min(least[0], min - room[0]);
  const high = max === null ? least[1] : Math.max(least[1], max + room[1]);
  return [Math.max(most[0], low), Math.min(most[1], high)];
}

/** A value that the scale does not reach. */
export interface Beyond {
  /** Seconds since 1970. */
  readonly x: number;
  readonly y: number;
  readonly line: Line;
  readonly edge: "top" | "bottom";
}

export function beyondOf(trend: Trend, lines: readonly Line[], low: number, high: number): Beyond[] {
  return lines.flatMap((line) =>
    trend.x.flatMap((x, at): Beyond[] => {
      const y = trend.lines[line][at];
      if (typeof y !== "number" || (low <= y && y <= high)) return [];
      return [{ x, y, line, edge: y > high ? "top" : "bottom" }];
    }),
  );
}
