import { describe, expect, it } from "vitest";
import { reading } from "./testing";
import { isStale, nowOf, STALE_AFTER_MS } from "./vitals";

const PRESSURE = { numbers: { systolic: "128", diastolic: "79", pulse_rate: "72" } };
const OXIMETER = { characteristic: "oximeter_continuous", numbers: { spo2: "97", pulse_rate: "74" } } as const;

describe("the now tile", () => {
  it("shows the digits as the device wrote them", () => {
    const rows = [reading(1, { numbers: { systolic: "16.0", diastolic: "10.5" } })];
    expect(nowOf(rows, "pressure")).toMatchObject({ figure: "16.0/10.5", unit: "mmHg" });
  });

  it("never shows a late value (後着)", () => {
    const rows = [reading(1, PRESSURE), reading(2, { numbers: { systolic: "90" }, late: true })];
    expect(nowOf(rows, "pressure")).toMatchObject({ figure: "128/79" });
  });

  it("never shows a value that is held back", () => {
    expect(nowOf([reading(1, { ...PRESSURE, quarantined: true })], "pressure")).toBeUndefined();
  });

  it("shows a fault as a fault and no number, not even the one before", () => {
    const rows = [reading(1, PRESSURE), reading(2, { fault: true })];
    const shown = nowOf(rows, "pressure");
    expect(shown).toMatchObject({ failed: true, reason: "cuff_error" });
    expect(shown).not.toHaveProperty("figure");
  });

  it("takes the cuff's pulse only while no oximeter has spoken", () => {
    expect(nowOf([reading(1, PRESSURE)], "pulse")).toMatchObject({ figure: "72" });
    const both = [reading(1, OXIMETER), reading(2, PRESSURE)];
    expect(nowOf(both, "pulse")).toMatchObject({ figure: "74" });
  });

  it("takes the pressure in the cuff for no blood pressure", () => {
    const filling = reading(1, { characteristic: "intermediate_cuff_pressure" });
    expect(nowOf([filling], "pressure")).toBeUndefined();
  });

  it("is grey when the value is old", () => {
    expect(isStale("spo2", 0, STALE_AFTER_MS.spo2)).toBe(false);
    expect(isStale("spo2", 0, STALE_AFTER_MS.spo2 + 1)).toBe(true);
    expect(isStale("pressure", 0, 60_000)).toBe(false);
  });
});
