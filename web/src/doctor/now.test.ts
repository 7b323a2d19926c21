// The rule of the "now" tile, case by case.

import { describe, expect, it } from "vitest";
import type { MeasuredValue, Quantity, ReadingRow } from "../wire/types";
import { vitalsAt } from "./now";

const T0 = 1_790_000_000_000;

function number(value: string): MeasuredValue {
  return { type: "number", value };
}

interface Told {
  seq: number;
  at: number;
  late?: boolean;
  quarantined?: boolean;
}

function row(
  { seq, at, late = false, quarantined = false }: Told,
  kind: "cuff" | "oximeter" | "filling",
  values: Partial<Record<Quantity, MeasuredValue>>,
): ReadingRow {
  const device = kind === "oximeter" ? "oximeter" : "cuff";
  return {
    seq,
    stored: at + 40,
    late,
    quarantined,
    checked: null,
    assigned: null,
    outcome: {
      type: "reading",
      id: String(seq).padStart(32, "0"),
      device: { id: `sim-${device}-1`, kind: device, model: "SIM" },
      characteristic:
        kind === "oximeter"
          ? "oximeter_continuous"
          : kind === "cuff"
            ? "blood_pressure"
            : "intermediate_cuff_pressure",
      measurements: Object.entries(values).map(([what, value]) => ({
        what: what as Quantity,
        value,
        unit: "mmHg",
        original: null,
      })),
      quality: [],
      device_time: null,
      gateway_time: at,
      device_user: null,
      site: null,
      provenance: {
        gateway: "0000000000001",
        transport: "simulator",
        entered: null,
        driver: "test",
        raw: "00",
        boot: "00",
        sequence: seq,
      },
    },
  };
}

const pressure = (told: Told, systolic = "128") =>
  row(told, "cuff", {
    systolic: number(systolic),
    diastolic: number("76"),
    pulse_rate: number("71"),
  });
const finger = (told: Told, spo2 = "97") =>
  row(told, "oximeter", { spo2: number(spo2), pulse_rate: number("72") });
const NAN: MeasuredValue = { type: "special", special: "NaN" };

describe("the now tile", () => {
  it("is empty before anything was measured", () => {
    expect(vitalsAt([], T0).cuff.state).toBe("empty");
    expect(vitalsAt([], T0).pulse.tile.state).toBe("empty");
  });

  it("greys the oximeter after 10 seconds and blanks it after 60", () => {
    const rows = [finger({ seq: 1, at: T0 })];
    expect(vitalsAt(rows, T0 + 10_000).oximeter.state).toBe("now");
    expect(vitalsAt(rows, T0 + 10_100).oximeter.state).toBe("stale");
    expect(vitalsAt(rows, T0 + 60_000).oximeter.state).toBe("stale");
    expect(vitalsAt(rows, T0 + 60_100).oximeter.state).toBe("blank");
  });

  it("keeps a cuff's value with its age, grey after a quarter of an hour, never blank", () => {
    const rows = [pressure({ seq: 1, at: T0 })];
    const tile = vitalsAt(rows, T0 + 14 * 60_000).cuff;
    expect(tile.state === "now" && tile.source.ageMs).toBe(14 * 60_000 - 40);
    expect(vitalsAt(rows, T0 + 90 * 60_000).cuff.state).toBe("stale");
  });

  it("tells the reason of a failed attempt", () => {
    const { device, characteristic, quality, device_time, gateway_time, provenance, id } = pressure(
      {
        seq: 2,
        at: T0,
      },
    ).outcome;
    const outcome = { device, characteristic, quality, device_time, gateway_time, provenance, id };
    const fault: ReadingRow = {
      ...pressure({ seq: 2, at: T0 }),
      outcome: { ...outcome, type: "fault", reason: "cuff_error" },
    };
    const tile = vitalsAt([fault], T0 + 1_000).cuff;
    expect(tile.state === "fault" && tile.reason).toBe("cuff_error");
  });

  it("never shows a late value, however new it arrived", () => {
    const rows = [
      pressure({ seq: 1, at: T0 }, "128"),
      pressure({ seq: 2, at: T0 + 1_000, late: true }, "190"),
    ];
    const tile = vitalsAt(rows, T0 + 2_000).cuff;
    expect(tile.state === "now" && tile.figures.get("systolic")?.text).toBe("128");
  });

  it("never shows a value that is held back", () => {
    expect(vitalsAt([finger({ seq: 1, at: T0, quarantined: true })], T0).oximeter.state).toBe(
      "empty",
    );
  });

  it("goes by the time of measuring, not of arrival", () => {
    const rows = [finger({ seq: 1, at: T0 + 2_000 }, "96"), finger({ seq: 2, at: T0 }, "91")];
    const tile = vitalsAt(rows, T0 + 2_500).oximeter;
    expect(tile.state === "now" && tile.figures.get("spo2")?.text).toBe("96");
  });

  it("shows an error frame as an error, never as a number and never the value before", () => {
    const rows = [
      pressure({ seq: 1, at: T0 }),
      row({ seq: 2, at: T0 + 1_000 }, "cuff", {
        systolic: NAN,
        diastolic: NAN,
        pulse_rate: number("80"),
      }),
    ];
    const tile = vitalsAt(rows, T0 + 2_000).cuff;
    expect(tile.state).toBe("fault");
    expect(tile).not.toHaveProperty("figures");
  });

  it("shows a finger out of the sensor as no number", () => {
    const rows = [
      finger({ seq: 1, at: T0 }),
      row({ seq: 2, at: T0 + 1_000 }, "oximeter", { spo2: NAN }),
    ];
    expect(vitalsAt(rows, T0 + 1_500).oximeter.state).toBe("fault");
  });

  it("takes the pulse from the cuff when the oximeter is silent, and says so", () => {
    const rows = [finger({ seq: 1, at: T0 }), pressure({ seq: 2, at: T0 + 1_000 })];
    expect(vitalsAt(rows, T0 + 2_000).pulse.from).toBe("oximeter");
    expect(vitalsAt(rows, T0 + 70_000).pulse.from).toBe("cuff");
  });

  it("shows the pressure in the cuff only while it fills", () => {
    const filling = row({ seq: 2, at: T0 + 1_000 }, "filling", { cuff_pressure: number("140") });
    const before = pressure({ seq: 1, at: T0 });
    const vitals = vitalsAt([before, filling], T0 + 2_000);
    expect(vitals.cuffFilling?.text).toBe("140");
    expect(vitals.cuff.state === "now" && vitals.cuff.figures.get("systolic")?.text).toBe("128");
    expect(vitalsAt([before, filling], T0 + 9_000).cuffFilling).toBeUndefined();
    const ended = pressure({ seq: 3, at: T0 + 2_000 });
    expect(vitalsAt([before, filling, ended], T0 + 2_000).cuffFilling).toBeUndefined();
  });
});

describe("the way to a newer value that came late", () => {
  it("is told with the time of measuring, and the tile keeps its own value", () => {
    const rows = [
      pressure({ seq: 1, at: T0 }, "128"),
      pressure({ seq: 2, at: T0 + 180_000, late: true }, "141"),
      pressure({ seq: 3, at: T0 + 420_000, late: true }, "150"),
    ];
    const vitals = vitalsAt(rows, T0 + 600_000);
    expect(vitals.newerLate.cuff).toBe(T0 + 420_000);
    expect(vitals.cuff.state === "now" && vitals.cuff.figures.get("systolic")?.text).toBe("128");
  });

  it("is there after a failed attempt and on an empty tile", () => {
    const failed = row({ seq: 1, at: T0 }, "cuff", { systolic: NAN, diastolic: NAN });
    const late = pressure({ seq: 2, at: T0 + 1_000, late: true });
    expect(vitalsAt([failed, late], T0 + 2_000).cuff.state).toBe("fault");
    expect(vitalsAt([failed, late], T0 + 2_000).newerLate.cuff).toBe(T0 + 1_000);
    expect(vitalsAt([late], T0 + 2_000).newerLate.cuff).toBe(T0 + 1_000);
  });

  it("is gone once a value of now is newer", () => {
    const rows = [pressure({ seq: 1, at: T0, late: true }), pressure({ seq: 2, at: T0 + 1_000 })];
    expect(vitalsAt(rows, T0 + 2_000).newerLate.cuff).toBeUndefined();
  });

  it("does not lead to what is held back, to a failure, or from the cuff to the finger", () => {
    const rows = [
      pressure({ seq: 1, at: T0 }),
      pressure({ seq: 2, at: T0 + 1_000, late: true, quarantined: true }),
      row({ seq: 3, at: T0 + 2_000, late: true }, "cuff", { systolic: NAN, pulse_rate: number("80") }),
      finger({ seq: 4, at: T0 + 3_000, late: true }),
    ];
    const { newerLate } = vitalsAt(rows, T0 + 4_000);
    expect(newerLate).toEqual({ cuff: undefined, oximeter: T0 + 3_000 });
  });
});
