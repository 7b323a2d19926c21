// How readings become lines.

import { describe, expect, it } from "vitest";
import type { Quantity, ReadingRow } from "../wire/types";
import { trendOf } from "./trend";

const T0 = 1_790_000_000_000;

function row(
  seq: number,
  at: number,
  values: Partial<Record<Quantity, string | "NaN">>,
  marks: Partial<ReadingRow> = {},
): ReadingRow {
  const kind = "systolic" in values ? "cuff" : "oximeter";
  return {
    seq,
    stored: at,
    late: false,
    quarantined: false,
    outcome: {
      type: "reading",
      id: String(seq),
      device: { id: kind, kind, model: "SIM" },
      characteristic: kind === "cuff" ? "blood_pressure" : "oximeter_continuous",
      measurements: Object.entries(values).map(([what, value]) => ({
        what: what as Quantity,
        value: value === "NaN" ? { type: "special", special: "NaN" } : { type: "number", value },
        unit: "mmHg",
        original: null,
      })),
      quality: [],
      device_time: null,
      gateway_time: at,
      device_user: null,
      provenance: {
        gateway: "0",
        transport: "simulator",
        driver: "t",
        raw: "",
        boot: "",
        sequence: seq,
      },
    },
    ...marks,
  };
}

describe("the trend", () => {
  it("stands in the order of measuring, late ones in their place and marked", () => {
    const trend = trendOf([
      row(1, T0 + 2_000, { spo2: "96" }),
      row(2, T0, { spo2: "94" }, { late: true }),
    ]);
    expect(trend.x).toEqual([T0 / 1_000, T0 / 1_000 + 2]);
    expect(trend.lines.spo2).toEqual([94, 96]);
    expect(trend.late).toEqual([{ line: "spo2", x: T0 / 1_000, y: 94 }]);
  });

  it("interrupts a running line where nothing came", () => {
    const trend = trendOf([row(1, T0, { spo2: "96" }), row(2, T0 + 30_000, { spo2: "97" })]);
    expect(trend.lines.spo2).toEqual([96, null, 97]);
  });

  it("does not let one quantity's moments interrupt another's line", () => {
    const trend = trendOf([
      row(1, T0, { spo2: "96" }),
      row(2, T0 + 1_000, { systolic: "120", diastolic: "70" }),
      row(3, T0 + 2_000, { spo2: "97" }),
    ]);
    expect(trend.lines.spo2).toEqual([96, undefined, 97]);
    expect(trend.lines.systolic).toEqual([undefined, 120, undefined]);
  });

  it("keeps a cuff's pulse apart from an oximeter's", () => {
    const trend = trendOf([
      row(1, T0, { spo2: "96", pulse_rate: "70" }),
      row(2, T0 + 1_000, { systolic: "120", pulse_rate: "74" }),
    ]);
    expect(trend.lines.pulse_oximeter).toEqual([70, undefined]);
    expect(trend.lines.pulse_cuff).toEqual([undefined, 74]);
  });

  it("marks an attempt without a number as such and draws no point for it", () => {
    const trend = trendOf([row(1, T0, { systolic: "NaN", diastolic: "NaN" })]);
    expect(trend.faults).toEqual([T0 / 1_000]);
    expect(trend.x).toEqual([]);
  });

  it("leaves out what is held back", () => {
    expect(trendOf([row(1, T0, { spo2: "96" }, { quarantined: true })]).x).toEqual([]);
  });
});
