// Who waits, in which order, and what stands between a patient and the call. Plain functions.

import type { DoctorRow, RoomRow, TicketRow } from "../wire/types";

export type Rank = TicketRow["rank"];

/** Smaller is sooner: lane, then milliseconds, then arrival. */
export function compareRank(a: Rank, b: Rank): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Those who wait in a room, the next one first. */
export function queueOf(tickets: Iterable<TicketRow>, room: string): TicketRow[] {
  return [...tickets]
    .filter((ticket) => ticket.room === room && ticket.state === "waiting")
    .sort((a, b) => compareRank(a.rank, b.rank));
}

/** Those whose values changed at home and who wait for a doctor of these rooms, by ticket. */
export function changedAtHome(tickets: Iterable<TicketRow>, rooms: readonly string[]): string[] {
  return [...tickets]
    .filter(({ kit, state, room }) => kit !== null && state === "waiting" && rooms.includes(room))
    .map(({ ticket }) => ticket)
    .sort();
}

/** Those whose interrupted visit this doctor should go on with. */
export function parkedFor(tickets: Iterable<TicketRow>, me: string): TicketRow[] {
  return [...tickets].filter(
    (ticket) => ticket.state === "parked" && (ticket.preferred === me || ticket.doctor === me),
  );
}

/** The patient this doctor has: called or in the visit. */
export function mineOf(tickets: Iterable<TicketRow>, me: string): TicketRow | undefined {
  return [...tickets].find(
    (ticket) => ticket.doctor === me && (ticket.state === "called" || ticket.state === "in_visit"),
  );
}

/** Why a waiting patient cannot be called right now. */
export type Hurdle = "not_ready" | "away";

export function hurdlesOf(ticket: TicketRow): Hurdle[] {
  const hurdles: Hurdle[] = [];
  if (!ticket.ready) hurdles.push("not_ready");
  // Nobody with a kit sits at its page and waits: Next takes the ticket all the same.
  if (ticket.away_since !== null && ticket.kit === null) hurdles.push("away");
  return hurdles;
}

/** A hand-over that waits for this doctor's word. */
export interface Ask {
  readonly ticket: TicketRow;
  /** offered: take it?; wished: give it? */
  readonly kind: "offered" | "wished";
  /** The colleague on the other end. */
  readonly other: string | null;
}

export function asksOf(tickets: Iterable<TicketRow>, me: string): Ask[] {
  return [...tickets].flatMap((ticket): Ask[] => {
    const hand = ticket.hand_over;
    if (!hand) return [];
    if (hand.offered && hand.to === me) return [{ ticket, kind: "offered", other: ticket.doctor }];
    if (!hand.offered && ticket.doctor === me) return [{ ticket, kind: "wished", other: hand.to }];
    return [];
  });
}

/** Colleagues that could take a patient of this room: on duty there, and not this doctor. */
export function colleaguesOf(
  doctors: Iterable<DoctorRow>,
  me: string,
  room: string | undefined,
): DoctorRow[] {
  return [...doctors]
    .filter((doctor) => doctor.staff !== me && doctor.duty === "on")
    .filter((doctor) => room === undefined || doctor.rooms.includes(room))
    .sort((a, b) => a.name.localeCompare(b.name, "ja"));
}

/** Rooms in a steady order: by name. */
export function roomsInOrder(rooms: Iterable<RoomRow>): RoomRow[] {
  return [...rooms].sort((a, b) => a.name.localeCompare(b.name, "ja"));
}
