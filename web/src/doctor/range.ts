// How much of the past the trend shows. Pure.

export type Range = "10" | "60" | "all";
export const RANGES: readonly Range[] = ["10", "60", "all"];
const MINUTE_MS = 60_000;
/** The whole trend shows at least so much, so that a first value does not fill the chart. */
const LEAST_MS = 5 * MINUTE_MS;

/** From and to, in milliseconds since 1970; `first` is when the first reading was measured. */
export function windowOf(range: Range, first: number | undefined, now: number): [number, number] {
  if (range !== "all") return [now - Number(range) * MINUTE_MS, now];
  return [Math.min(now - LEAST_MS, first ?? now), now];
}

/** The narrowest range in which a moment is seen, with a little room before it. */
export function rangeWith(at: number, now: number): Range {
  const room = MINUTE_MS / 2;
  for (const range of RANGES) {
    if (range !== "all" && now - at + room <= Number(range) * MINUTE_MS) return range;
  }
  return "all";
}
