// When a visit's data may be used, as the broker has it: both sides said who is who, or it was put
// off with a reason; in 急変 the doctor's word is enough.

import type { VisitRow } from "../wire/types";

type Known = Pick<VisitRow, "identity" | "emergency">;

export function isSettled({ identity, emergency }: Known): boolean {
  if (identity.deferred !== null) return true;
  return identity.doctor !== null && (identity.other_side !== null || emergency !== null);
}

/** Who has not said yet who is who. */
export function lacking({ identity }: Known): "both" | "doctor" | "other_side" | undefined {
  if (identity.doctor === null) return identity.other_side === null ? "both" : "doctor";
  return identity.other_side === null ? "other_side" : undefined;
}

/** Consent is still to be had; a reason puts it off, and so does 急変, as the broker has it. */
export function isConsentOwed(
  visit: Pick<VisitRow, "consent" | "emergency" | "quarantined" | "identity">,
): boolean {
  const settledOtherwise = visit.identity.deferred !== null || visit.emergency !== null;
  return visit.consent === null && !settledOtherwise && !visit.quarantined;
}

/** Put off, and not yet made good by both sides. */
export function isOwed(visit: Known): boolean {
  return isSettled(visit) && lacking(visit) !== undefined;
}
