import { describe, expect, it } from "vitest";
import { reading } from "./testing";
import { decimalOf, lastTime, textsOf, typedForm } from "./typed";

describe("a typed number", () => {
  it.each([
    ["36.5", "36.5"],
    ["３６．５", "36.5"],
    [" 36,5 ", "36.5"],
    ["36。5", "36.5"],
    ["１２０", "120"],
    ["098", "98"],
    ["0", "0"],
    ["0.5", "0.5"],
    ["58.20", "58.20"],
    ["97.", "97"],
  ])("%s is %s", (text, value) => {
    expect(decimalOf(text)).toBe(value);
  });

  it.each(["", "abc", "12a", "1.2.3", "-5", "36.555", "12345", "120/80", "1e3", "."])(
    "%s is none",
    (text) => {
      expect(decimalOf(text)).toBeUndefined();
    },
  );
});

describe("a typed form", () => {
  it("brings each number with its unit, and nothing of empty fields", () => {
    expect(typedForm({ systolic: "１２８", diastolic: "76", spo2: " " })).toEqual({
      state: "ready",
      values: [
        { what: "systolic", value: "128", unit: "mmHg" },
        { what: "diastolic", value: "76", unit: "mmHg" },
      ],
    });
  });

  it("is not ready while one field is no number, and names the field", () => {
    expect(typedForm({ temperature: "36.5", spo2: "九十" })).toEqual({
      state: "wrong",
      fields: new Set(["spo2"]),
    });
  });

  it("is empty without a number, and judges none: a strange value is the broker's to mark", () => {
    expect(typedForm({})).toEqual({ state: "empty" });
    expect(typedForm({ respiration_rate: "400" }).state).toBe("ready");
  });

  it("begins a correction with what was there, but for another unit", () => {
    const row = reading(1, { numbers: { systolic: "128", diastolic: "76", mean_arterial: "93" } });
    expect(textsOf(row)).toEqual({ systolic: "128", diastolic: "76" });
    if (row.outcome.type === "reading") for (const one of row.outcome.measurements) one.unit = "kPa";
    expect(textsOf(row)).toEqual({});
  });
});

describe("the time of a typed value", () => {
  const now = new Date(2026, 10, 30, 9, 30).getTime();

  it("is the last moment at which the clock showed it", () => {
    expect(lastTime("09:10", now)).toBe(new Date(2026, 10, 30, 9, 10).getTime());
    expect(lastTime("23:50", now)).toBe(new Date(2026, 10, 29, 23, 50).getTime());
  });

  it("is never in the future and never older than a day", () => {
    for (let minute = 0; minute < 24 * 60; minute += 7) {
      const text = `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
      const at = lastTime(text, now) ?? Number.NaN;
      expect(at <= now && now - at < 24 * 3_600_000, text).toBe(true);
    }
  });

  it("is none for what is no time of day", () => {
    for (const text of ["", "24:00", "9:7", "12:60"]) expect(lastTime(text, now)).toBeUndefined();
  });
});
