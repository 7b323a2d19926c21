// The white board's columns: which magnet hangs where, and in which order. Plain functions.

import type { AlertKind, AlertRow, DoctorRow, TicketRow, TicketState } from "../wire/types";

export const COLUMNS = [
  "invited",
  "waiting",
  "called",
  "in_visit",
  "parked",
  "unanswered",
  "over",
] as const;
export type Column = (typeof COLUMNS)[number];

export function columnOf(state: TicketState): Column {
  switch (state) {
    case "ended":
    case "left":
      return "over";
    case "invited":
    case "waiting":
    case "called":
    case "in_visit":
    case "parked":
    case "unanswered":
      return state;
  }
}

/** All tickets of a room, or of every room, each in its column and order. */
export function boardOf(
  tickets: Iterable<TicketRow>,
  room: string | undefined,
): Record<Column, TicketRow[]> {
  const board = Object.fromEntries(COLUMNS.map((column) => [column, []])) as unknown as Record<
    Column,
    TicketRow[]
  >;
  for (const ticket of tickets) {
    if (room === undefined || ticket.room === room) board[columnOf(ticket.state)].push(ticket);
  }
  for (const column of COLUMNS) board[column].sort(orderIn(column));
  return board;
}

type Order = (a: TicketRow, b: TicketRow) => number;

function orderIn(column: Column): Order {
  switch (column) {
    case "waiting":
      return (a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2];
    case "invited":
      return byCode;
    case "over":
      return (a, b) => byCode(b, a);
    case "called":
    case "in_visit":
    case "parked":
    case "unanswered":
      return byArrival;
  }
}

const byCode: Order = (a, b) => a.code.localeCompare(b.code, "ja", { numeric: true });
const byArrival: Order = (a, b) => (a.arrived ?? 0) - (b.arrived ?? 0) || byCode(a, b);

/** What is looked at first: a life, then a person nobody can reach, then everything else. */
const URGENCY: readonly AlertKind[] = [
  "emergency",
  "unanswered",
  "wrong_patient",
  "doctor_silent",
  "doctor_gone",
  "patient_gone",
  "device_request",
];

export function alertsInOrder(alerts: Iterable<AlertRow>): AlertRow[] {
  return [...alerts].sort(
    (a, b) => URGENCY.indexOf(a.kind) - URGENCY.indexOf(b.kind) || a.since - b.since,
  );
}

/** Doctors who are there first, then those on a break; by name within. */
export function doctorsInOrder(
  doctors: Iterable<DoctorRow>,
  room: string | undefined,
): DoctorRow[] {
  return [...doctors]
    .filter((doctor) => doctor.duty !== "off")
    .filter((doctor) => room === undefined || doctor.rooms.includes(room))
    .sort(
      (a, b) =>
        Number(a.duty === "break") - Number(b.duty === "break") ||
        a.name.localeCompare(b.name, "ja"),
    );
}
