// The order of the queue and what waits for this doctor.

import { describe, expect, it } from "vitest";
import type { DoctorRow, TicketRow } from "../wire/types";
import { asksOf, changedAtHome, colleaguesOf, compareRank, hurdlesOf, mineOf, parkedFor, queueOf } from "./queue";

function ticket(over: Partial<TicketRow>): TicketRow {
  return {
    ticket: "t1",
    room: "r1",
    code: "K-01",
    state: "waiting",
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
    epoch: 1,
    doctor: null,
    preferred: null,
    visit: null,
    hand_over: null,
    why: "arrived",
    emergency: null,
    disposition: null,
    subject: null,
    age_band: "80",
    person: null,
    device_requests: [],
    kit: null,
    fired: [],
    ...over,
  };
}

describe("the queue", () => {
  it("goes by lane, then time, then arrival", () => {
    expect(compareRank([0, 9, 9], [1, 0, 0])).toBeLessThan(0);
    expect(compareRank([1, 5, 0], [1, 4, 9])).toBeGreaterThan(0);
    expect(compareRank([1, 5, 1], [1, 5, 2])).toBeLessThan(0);
  });

  it("holds only those who wait in this room", () => {
    const tickets = [
      ticket({ ticket: "a", rank: [1, 20, 1] }),
      ticket({ ticket: "b", rank: [0, 90, 2], emergency: 90 }),
      ticket({ ticket: "c", room: "r2" }),
      ticket({ ticket: "d", state: "in_visit" }),
    ];
    expect(queueOf(tickets, "r1").map((one) => one.ticket)).toEqual(["b", "a"]);
  });

  it("says what stands between a patient and the call", () => {
    expect(hurdlesOf(ticket({}))).toEqual([]);
    expect(hurdlesOf(ticket({ ready: false, away_since: 5 }))).toEqual(["not_ready", "away"]);
    expect(hurdlesOf(ticket({ kit: "k1", away_since: 5 }))).toEqual([]);
  });

  it("hears of changes at home where this doctor is on duty, until somebody calls", () => {
    const tickets = [
      ticket({ ticket: "a", kit: "k1" }),
      ticket({ ticket: "b", kit: "k2", room: "r2" }),
      ticket({ ticket: "c", kit: "k3", state: "called" }),
      ticket({ ticket: "d" }),
    ];
    expect(changedAtHome(tickets, ["r1"])).toEqual(["a"]);
    expect(changedAtHome(tickets, [])).toEqual([]);
  });

  it("finds the one patient and those parked", () => {
    const tickets = [
      ticket({ ticket: "a", state: "parked", preferred: "me" }),
      ticket({ ticket: "b", state: "in_visit", doctor: "me" }),
      ticket({ ticket: "c", state: "in_visit", doctor: "you" }),
    ];
    expect(mineOf(tickets, "me")?.ticket).toBe("b");
    expect(parkedFor(tickets, "me").map((one) => one.ticket)).toEqual(["a"]);
  });

  it("tells offers to whom they are made and wishes to whom has the patient", () => {
    const offered = ticket({ doctor: "you", hand_over: { to: "me", offered: true } });
    const wished = ticket({ doctor: "me", hand_over: { to: "you", offered: false } });
    const foreign = ticket({ doctor: "you", hand_over: { to: "third", offered: true } });
    expect(
      asksOf([offered, wished, foreign], "me").map(({ kind, other }) => [kind, other]),
    ).toEqual([
      ["offered", "you"],
      ["wished", "you"],
    ]);
  });

  it("offers colleagues on duty in the room, never oneself", () => {
    const doctor = (staff: string, over: Partial<DoctorRow>): DoctorRow => ({
      staff,
      name: staff,
      affiliation: "",
      duty: "on",
      rooms: ["r1"],
      busy: false,
      patient: null,
      away_since: null,
      ...over,
    });
    const doctors = [
      doctor("me", {}),
      doctor("b", {}),
      doctor("c", { duty: "break" }),
      doctor("d", { rooms: ["r2"] }),
    ];
    expect(colleaguesOf(doctors, "me", "r1").map((one) => one.staff)).toEqual(["b"]);
  });
});
