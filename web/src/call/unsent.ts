// What of the own picture does not go out, because the own line has no room for it. Pure.

import type { Wanted } from "../wire/types";

/** It goes out smaller, as stills, or not at all. */
export type Unsent = "size" | "movement" | "picture";

/** `narrow`: the page itself has stopped its picture, before a word of the relay could come. */
export function unsentOf(wanted: Wanted | undefined, narrow: boolean): Unsent | undefined {
  // What nobody asks for is not missed.
  if (!wanted || (wanted.video === "off" && !wanted.given_up)) return undefined;
  if (narrow || wanted.given_up === "picture") return wanted.stills ? "movement" : "picture";
  return wanted.given_up === "size" ? "size" : undefined;
}
