import { describe, expect, it } from "vitest";
import type { DeviceRow, HeldRow, TicketRow } from "../wire/types";
import { EMPTY_HELD, lackingOf, needsReason, REASON_AFTER_MS, settleAct } from "./held";
import { ticketCode, whatIs } from "./scanned";

const T0 = 1_790_000_000_000;
const row: HeldRow = {
  reading: "r-1",
  device: { id: "sim-cuff-1", kind: "cuff", model: "SIM" },
  measured_at: T0,
  gateway_time: T0,
  because: "unbound",
};
const filled = { ticket: "t-1", code: "K-27", birthDate: "昭和19年12月1日", reason: "" };

describe("settling whose a measurement is", () => {
  it("asks for the patient and for two things that identify the person", () => {
    expect([...lackingOf(EMPTY_HELD, row, T0)]).toEqual(["ticket", "code", "birthDate"]);
    expect([...lackingOf(filled, row, T0)]).toEqual([]);
  });

  it("asks for a reason once it is older than half an hour, or when the broker asks", () => {
    expect(needsReason(row, T0 + REASON_AFTER_MS)).toBe(false);
    expect([...lackingOf(filled, row, T0 + REASON_AFTER_MS + 1)]).toEqual(["reason"]);
    expect([...lackingOf(filled, row, T0, true)]).toEqual(["reason"]);
    const said = { ...filled, reason: "患者さんを待たせた" };
    expect([...lackingOf(said, row, T0 + REASON_AFTER_MS + 1)]).toEqual([]);
  });

  it("sends code and birth date as the broker writes them", () => {
    expect(settleAct({ ...filled, code: "ｋ２７", reason: " x " }, row)).toEqual({
      type: "settle_reading",
      reading: "r-1",
      ticket: "t-1",
      code: "K-27",
      birth_date: "1944-12-01",
      reason: "x",
    });
  });
});

describe("a scanned code", () => {
  const devices = [{ status: { device: "AA:BB:CC:DD:EE:01" } }] as DeviceRow[];
  const tickets = [{ ticket: "t-1", code: "K-27" }] as TicketRow[];

  it("names a device however its label writes the address", () => {
    for (const text of ["AA:BB:CC:DD:EE:01", "aabbccddee01", " aa-bb-cc-dd-ee-01 "]) {
      expect(whatIs(text, devices, tickets)).toEqual({ is: "device", device: "AA:BB:CC:DD:EE:01" });
    }
  });

  it("names a patient by the ticket's code", () => {
    for (const text of ["K-27", "k27", "Ｋ－２７"]) {
      expect(whatIs(text, devices, tickets)).toEqual({ is: "ticket", ticket: "t-1" });
    }
  });

  it("names nothing that is not at this site", () => {
    expect(whatIs("K-28", devices, tickets)).toEqual({ is: "unknown" });
    expect(whatIs("", [], [])).toEqual({ is: "unknown" });
    expect(ticketCode("たなか")).toBe("たなか");
  });
});
