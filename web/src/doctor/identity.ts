// When a visit's data may be used: both sides said who is who, or it was put off with a reason.

import type { IdentityRow, VisitRow } from "../wire/types";

export function isSettled(visit: { readonly identity: IdentityRow }): boolean {
  const { doctor, other_side, deferred } = visit.identity;
  return deferred !== null || (doctor !== null && other_side !== null);
}

/** Consent is still to be had; a reason puts it off, and so does 急変, as the broker has it. */
export function isConsentOwed(
  visit: Pick<VisitRow, "consent" | "emergency" | "quarantined" | "identity">,
): boolean {
  const settledOtherwise = visit.identity.deferred !== null || visit.emergency !== null;
  return visit.consent === null && !settledOtherwise && !visit.quarantined;
}

/** Put off, and not yet made good by both sides. */
export function isOwed(visit: VisitRow): boolean {
  const { doctor, other_side, deferred } = visit.identity;
  return deferred !== null && (doctor === null || other_side === null);
}
