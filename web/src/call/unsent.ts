// What of the own picture does not go out: because the own line has no room for it, or because the
// browser sends less by itself, for a reason that nobody knows. Pure.

import type { Wanted } from "../wire/types";

/** For want of room: smaller, as stills, not at all. Otherwise: `small`, or not moving. */
export type Unsent = "size" | "movement" | "picture" | "small" | "unmoving";

/** `narrow`: the page itself has stopped its picture, before a word of the relay could come. */
export function unsentOf(wanted: Wanted | undefined, narrow: boolean): Unsent | undefined {
  // What nobody asks for is not missed.
  if (!wanted || (wanted.video === "off" && !wanted.given_up)) return undefined;
  const noRoom = narrow || wanted.own_link === true;
  const stops = narrow || wanted.given_up === "picture";
  if (stops && !noRoom) return "unmoving";
  if (stops) return wanted.stills ? "movement" : "picture";
  if (wanted.given_up !== "size") return undefined;
  return noRoom ? "size" : "small";
}
