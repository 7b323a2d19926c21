// Which magnet hangs where.

import { describe, expect, it } from "vitest";
import type { AlertRow, TicketRow, TicketState } from "../wire/types";
import { alertsInOrder, boardOf } from "./columns";

function ticket(code: string, state: TicketState, over: Partial<TicketRow> = {}): TicketRow {
  return {
    ticket: code,
    room: "r1",
    code,
    state,
    rank: [1, 0, 0],
    origin: "home",
    site: null,
    nurse: null,
    triage: "standard",
    first_visit: false,
    arrived: 0,
    ready: true,
    away_since: null,
    misses: 0,
    epoch: 0,
    doctor: null,
    preferred: null,
    visit: null,
    hand_over: null,
    why: "arrived",
    emergency: null,
    disposition: null,
    subject: null,
    age_band: "",
    person: null,
    device_requests: [],
    kit: null,
    fired: [],
    ...over,
  };
}

const codes = (tickets: TicketRow[]) => tickets.map((one) => one.code);

describe("the board", () => {
  it("hangs every ticket into exactly one column", () => {
    const states: TicketState[] = [
      "invited",
      "waiting",
      "called",
      "in_visit",
      "parked",
      "unanswered",
      "ended",
      "left",
    ];
    const board = boardOf(
      states.map((state, n) => ticket(`K-${n}`, state)),
      undefined,
    );
    expect(Object.values(board).flat()).toHaveLength(states.length);
    expect(codes(board.over)).toEqual(["K-7", "K-6"]);
  });

  it("orders those who wait as the queue does, and numbers as numbers", () => {
    const board = boardOf(
      [
        ticket("K-10", "invited"),
        ticket("K-9", "invited"),
        ticket("K-2", "waiting", { rank: [1, 5, 2] }),
        ticket("K-3", "waiting", { rank: [0, 9, 3] }),
      ],
      "r1",
    );
    expect(codes(board.invited)).toEqual(["K-9", "K-10"]);
    expect(codes(board.waiting)).toEqual(["K-3", "K-2"]);
  });

  it("shows one room or all", () => {
    const tickets = [ticket("K-1", "waiting"), ticket("K-2", "waiting", { room: "r2" })];
    expect(codes(boardOf(tickets, "r2").waiting)).toEqual(["K-2"]);
    expect(boardOf(tickets, undefined).waiting).toHaveLength(2);
  });

  it("puts an emergency before everything, then whoever cannot be reached", () => {
    const alert = (kind: AlertRow["kind"], since: number): AlertRow => ({
      alert: kind + since,
      kind,
      ticket: "t",
      code: "K-1",
      since,
    });
    const alerts = [
      alert("device_request", 1),
      alert("unanswered", 5),
      alert("unanswered", 3),
      alert("emergency", 9),
    ];
    expect(alertsInOrder(alerts).map((one) => one.alert)).toEqual([
      "emergency9",
      "unanswered3",
      "unanswered5",
      "device_request1",
    ]);
  });
});
