// Whether the broker has ended this screen's part in a visit: then it takes the seat at the relay
// away itself, and a goodbye from here would only find it gone.

import type { Views } from "../wire/views";

/** As far as this screen's views tell; `mine`: the doctor whose seat it is, if it is a doctor's. */
export function isEndedByBroker(views: Views, visit: string, mine: string | null | undefined): boolean {
  const row = views.rows("visits").get(visit);
  if (!row) return true;
  const ticket = views.rows("tickets").get(row.ticket);
  const state = (ticket ?? views.rows("place").get(row.ticket))?.state;
  if (state !== undefined && state !== "in_visit") return true;
  // Handed over: the visit goes on without this doctor.
  return Boolean(mine && ticket && ticket.doctor !== mine);
}
