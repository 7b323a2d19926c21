// A join link as people get it: an address, or eight digits said aloud. Plain functions.

import type { IssuedLink } from "../wire/types";

/** The address behind a link: nothing in it is about a person, and the secret never leaves the page
 * in a request (it stands behind the `#`). */
export function addressOf(link: IssuedLink, origin: string): string {
  return `${origin}/p#${link.secret}`;
}

/** `1234 5678`, as it is said aloud. */
export function spokenText(spoken: string): string {
  return spoken.replace(/^(\d{4})(\d{4})$/, "$1 $2");
}
