// What stays true for a patient while the link is gone, and what is said when it is back: while
// waiting it is the place in the queue, in a visit it is the call. Pure.

import type { TicketState } from "../wire/types";
import type { PatientKey } from "../words/patient.ja";

interface CutWords {
  /** Said first, in place of the plain word that it is cut off. */
  readonly title: PatientKey | undefined;
  /** What that means now. */
  readonly gone: PatientKey | undefined;
  /** Said for a moment when connected again; without it, only that it is connected. */
  readonly back: PatientKey | undefined;
}

export function cutWords(state: TicketState | undefined): CutWords {
  switch (state) {
    case "invited":
    case "waiting":
    case "called":
    case "unanswered":
    case "parked":
      return { title: undefined, gone: "kept", back: "back" };
    case "in_visit":
      // The call has a path of its own: who still sees the doctor is not "cut off".
      return { title: "visit_cut_title", gone: "visit_cut", back: undefined };
    // Nothing is known yet, or nothing is left to keep.
    case undefined:
    case "ended":
    case "left":
      return { title: undefined, gone: undefined, back: undefined };
  }
}
