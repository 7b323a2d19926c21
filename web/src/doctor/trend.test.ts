// How readings become lines.

import { describe, expect, it } from "vitest";
import type { Quantity, ReadingRow } from "../wire/types";
import { BAND_GAP_MS, isLate, lateBands, trendOf } from "./trend";

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
    checked: null,
    photos: [],
    assigned: null,
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
      site: null,
      provenance: {
        gateway: "0",
        transport: "simulator",
        entered: null,
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
  it("stands in the order of measuring, late ones in their place under a band", () => {
    const trend = trendOf([
      row(1, T0 + 2_000, { spo2: "96" }),
      row(2, T0, { spo2: "94" }, { late: true }),
    ]);
    expect(trend.x).toEqual([T0 / 1_000, T0 / 1_000 + 2]);
    expect(trend.lines.spo2).toEqual([94, 96]);
    expect(trend.late).toEqual([{ from: T0 / 1_000, to: T0 / 1_000 }]);
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

  it("draws heart rate, respiration and temperature as lines of their own", () => {
    const trend = trendOf([row(1, T0, { heart_rate: "64", respiration_rate: "16", temperature: "36.5" })]);
    expect([trend.lines.heart_rate, trend.lines.respiration, trend.lines.temperature]).toEqual([
      [64],
      [16],
      [36.5],
    ]);
  });

  it("marks a value that waits for a second look and draws no point for it, nor for a withdrawn one", () => {
    const wild = row(1, T0, { respiration_rate: "400" });
    wild.outcome.quality = ["implausible"];
    expect(trendOf([wild])).toMatchObject({ x: [], waiting: [T0 / 1_000], faults: [] });
    const checked = { type: "withdrawn", by: "山本", at: T0, reason: "x", replaced_by: null } as const;
    expect(trendOf([{ ...wild, checked }])).toMatchObject({ x: [], waiting: [], faults: [] });
  });

  it("leaves out what is held back", () => {
    expect(trendOf([row(1, T0, { spo2: "96" }, { quarantined: true })]).x).toEqual([]);
  });
});

describe("a stretch of late readings", () => {
  const SECOND = 1_000;
  const late = (seconds: number) => ({ at: T0 + seconds * SECOND, late: true });
  const inTime = (seconds: number) => ({ at: T0 + seconds * SECOND, late: false });
  const band = (from: number, to: number) => ({ from: T0 / 1_000 + from, to: T0 / 1_000 + to });

  it("is one band, however many readings it holds", () => {
    const minute = Array.from({ length: 60 }, (_, at) => late(at));
    expect(lateBands(minute)).toEqual([band(0, 59)]);
  });

  it("ends where something came in time", () => {
    const arrivals = [late(0), late(1), inTime(2), late(3), late(4)];
    expect(lateBands(arrivals)).toEqual([band(0, 1), band(3, 4)]);
  });

  it("goes by the time of measuring: late ones arrive after those that came in time", () => {
    expect(lateBands([inTime(10), inTime(11), late(2), late(1)])).toEqual([band(1, 2)]);
  });

  it("holds all devices: a pressure that came late stands in the band of the pulse", () => {
    const rows = [
      row(1, T0, { spo2: "95" }, { late: true }),
      row(2, T0 + 30_000, { systolic: "120" }, { late: true }),
      row(3, T0 + 60_000, { spo2: "96" }, { late: true }),
    ];
    expect(trendOf(rows).late).toEqual([band(0, 60)]);
  });

  it("does not reach over a pause in which nothing was measured at all", () => {
    const gap = BAND_GAP_MS / SECOND;
    expect(lateBands([late(0), late(gap)])).toEqual([band(0, gap)]);
    expect(lateBands([late(0), late(gap + 1)])).toEqual([band(0, 0), band(gap + 1, gap + 1)]);
  });

  it("is ended by an attempt that failed in time, and leaves out what is held back", () => {
    const failed = row(2, T0 + 1_000, { systolic: "NaN" });
    const held = row(4, T0 + 9_000, { spo2: "95" }, { late: true, quarantined: true });
    const rows = [
      row(1, T0, { spo2: "95" }, { late: true }),
      failed,
      row(3, T0 + 2_000, { spo2: "95" }, { late: true }),
      held,
    ];
    expect(trendOf(rows).late).toEqual([band(0, 0), band(2, 2)]);
  });

  it("tells of a moment whether it lies within", () => {
    const bands = [band(0, 10)];
    expect(isLate(bands, T0 / 1_000 + 10)).toBe(true);
    expect(isLate(bands, T0 / 1_000 + 11)).toBe(false);
  });
});
