// When a visit's data may be used: both sides said who is who, or it was put off with a reason.

import type { IdentityRow, VisitRow } from "../wire/types";

export function isSettled(visit: { readonly identity: IdentityRow }): boolean {
  const { doctor, other_side, deferred } = visit.identity;
  return deferred !== null || (doctor !== null && other_side !== null);
}

/** Put off, and not yet made good by both sides. */
export function isOwed(visit: VisitRow): boolean {
  const { doctor, other_side, deferred } = visit.identity;
  return deferred !== null && (doctor === null || other_side === null);
}
