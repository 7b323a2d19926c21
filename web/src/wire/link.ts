// Whether this screen and the broker hear each other, told as it is.

import type { Code } from "./types";

/** Short interruptions are "reconnecting"; after this long the screen says that it is cut off. */
export const CUT_AFTER_MS = 4_000;
/** Pauses between attempts: the first, the longest. */
export const BACKOFF_MS = { first: 300, most: 5_000 };
/** An attempt that has not even opened by then is given up: TCP itself asks ever more seldom. */
export const OPEN_WITHIN_MS = 5_000;
/** So many heartbeats without a word, when a call is silent too: then the link is gone as well. */
export const DOUBTED_HEARTBEATS = 1.3;
/** So many heartbeats without a word mean that the link is gone. */
export const SILENT_HEARTBEATS = 3;

export type Link =
  /** The page was just opened. */
  | { state: "connecting" }
  | { state: "connected" }
  /** Gone a moment ago. `since`: when the broker was last heard, in the screen's own time. */
  | { state: "reconnecting"; since: number }
  /** Gone for longer; the page goes on trying. */
  | { state: "cut_off"; since: number }
  /** The broker ended it; the page does not try again. */
  | { state: "bye"; code: Code };

/** Goodbyes after which a new connection is welcome. */
const PASSING: readonly Code[] = ["slow_reader", "busy", "not_durable", "too_many"];

export function isPassing(code: Code): boolean {
  return PASSING.includes(code);
}

/**
 * The pause before the nth attempt (0, 1, 2 …), `random` in 0..1 spreads a crowd. Time that the last
 * attempt itself waited in vain counts as a part of it, all but the shortest pause.
 */
export function backoffMs(attempt: number, random: number, waited_ms = 0): number {
  const full = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10));
  return Math.round(Math.max(BACKOFF_MS.first, full - waited_ms) * (0.5 + random / 2));
}
