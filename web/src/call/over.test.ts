import { describe, expect, it } from "vitest";
import { view } from "../wire/testing";
import type { PlaceRow, Row, TicketRow, VisitRow } from "../wire/types";
import { Views } from "../wire/views";
import { isEndedByBroker } from "./over";

const VISIT = { row: "visit", visit: "v", ticket: "t" } as Row & VisitRow;
const ticket = (parts: Partial<TicketRow>) =>
  ({ row: "ticket", ticket: "t", state: "in_visit", doctor: "abe", ...parts }) as Row & TicketRow;
const place = (state: PlaceRow["state"]) => ({ row: "place", ticket: "t", state }) as Row & PlaceRow;

function views(...rows: Row[]): Views {
  const all = new Views();
  for (const row of rows) {
    const name = { visit: "visits", ticket: "tickets", place: "place" }[row.row as "visit"];
    all.apply(view(1, [row], { view: name as "visits" }));
  }
  return all;
}

describe("leaving a call", () => {
  it("says goodbye while the visit goes on", () => {
    expect(isEndedByBroker(views(VISIT, ticket({})), "v", "abe")).toBe(false);
    expect(isEndedByBroker(views(VISIT, ticket({})), "v", undefined)).toBe(false);
    expect(isEndedByBroker(views(VISIT, place("in_visit")), "v", undefined)).toBe(false);
  });

  it("asks nothing of the relay once the visit is over: the broker takes the seat away", () => {
    expect(isEndedByBroker(views(ticket({ state: "ended" })), "v", "abe")).toBe(true);
    // Whichever of the two views comes first.
    expect(isEndedByBroker(views(VISIT, ticket({ state: "ended" })), "v", "abe")).toBe(true);
    expect(isEndedByBroker(views(VISIT, place("parked")), "v", undefined)).toBe(true);
  });

  it("asks nothing of the relay for a doctor who has handed over", () => {
    expect(isEndedByBroker(views(VISIT, ticket({ doctor: "mori" })), "v", "abe")).toBe(true);
    expect(isEndedByBroker(views(VISIT, ticket({ doctor: "mori" })), "v", undefined)).toBe(false);
  });

  it("says goodbye when it cannot tell", () => {
    expect(isEndedByBroker(views(VISIT), "v", "abe")).toBe(false);
  });
});
