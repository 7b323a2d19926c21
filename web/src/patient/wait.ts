// What a patient reads about the place and the wait. Pure: a row in, words out.

import type { PlaceRow, Wait } from "../wire/types";
import { patient } from "../words/patient";
import type { PatientKey } from "../words/patient.ja";

/** "About 12–20 min", "very soon" or that nobody can tell: never a false promise. */
export function waitWords(wait: Wait): string {
  if (wait.type === "cannot_tell") return patient("cannot_tell");
  const { from_min: from, to_min: to } = wait;
  if (to <= 1) return patient("soon");
  const range = from >= to ? patient("range_same", { to }) : patient("range", { from, to });
  return `${patient("about")} ${range}`;
}

/** Why the place changed, if that wants a sentence. */
export function whyWords(place: Pick<PlaceRow, "why" | "state">): string | undefined {
  if (place.state === "unanswered") return patient("unanswered");
  const silent = ["arrived", "grace_over", "gave_up"];
  if (silent.includes(place.why)) return undefined;
  return patient(`why_${place.why}` as PatientKey);
}

/** Boats drawn before the harbour: one a person, the rest stays beyond the horizon. */
export function boats(ahead: number): number {
  return Math.max(0, Math.min(ahead, 6));
}
