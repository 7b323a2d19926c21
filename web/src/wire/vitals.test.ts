// The rule of the "now" tile, case by case.

import { describe, expect, it } from "vitest";
import { reading } from "./testing";
import type { ReadingRow } from "./types";
import { figureOf, figuresOf, originalOf, signsAt, type Vital, waitsForConfirmation } from "./vitals";

const T0 = 1_790_000_000_000;
const MINUTE = 60_000;
type Told = Parameters<typeof reading>[1];

const pressure = (seq: number, at: number, told: Told = {}, systolic = "128") =>
  reading(seq, { at, numbers: { systolic, diastolic: "76", pulse_rate: "71" }, ...told });
const finger = (seq: number, at: number, told: Told = {}, spo2: string | null = "97") =>
  reading(seq, {
    at,
    kind: "oximeter",
    characteristic: "oximeter_continuous",
    numbers: { spo2, ...(spo2 !== null && { pulse_rate: "72" }) },
    ...told,
  });
const typed = (seq: number, at: number, numbers: NonNullable<Told>["numbers"]) =>
  reading(seq, { at, kind: "person", characteristic: "typed", numbers: numbers ?? {} });

function sign(rows: readonly ReadingRow[], vital: Vital, now = T0) {
  return signsAt(rows, now).find((one) => one.vital === vital);
}

function shown(rows: readonly ReadingRow[], vital: Vital, now = T0): string | undefined {
  const tile = sign(rows, vital, now)?.tile;
  if (tile?.state !== "now" && tile?.state !== "stale") return undefined;
  return figureOf(tile.figures, vital)?.text;
}
const state = (rows: readonly ReadingRow[], vital: Vital, now: number) =>
  sign(rows, vital, now)?.tile.state;

describe("the tiles", () => {
  it("of pressure, saturation and pulse always stand, the others once there is a row", () => {
    expect(signsAt([], T0).map(({ vital }) => vital)).toEqual(["pressure", "spo2", "pulse"]);
    const warm = reading(1, { kind: "thermometer", numbers: { temperature: "36.5" } });
    expect(signsAt([warm], T0).map(({ vital }) => vital)).toContain("temperature");
  });

  it("show every kind of value with the digits of its device", () => {
    const told: [Vital, Told, string][] = [
      ["temperature", { kind: "thermometer", numbers: { temperature: "36.5" } }, "36.5"],
      ["heart_rate", { kind: "heart_monitor", numbers: { heart_rate: "64", rr_interval: "930" } }, "64"],
      ["respiration", { kind: "oximeter", numbers: { respiration_rate: "16" } }, "16"],
      ["glucose", { kind: "glucose_meter", numbers: { glucose: "104" } }, "104"],
      ["weight", { kind: "scale", numbers: { weight: "58.20" } }, "58.2"],
    ];
    for (const [vital, parts, figure] of told) {
      expect(shown([reading(1, { at: T0, ...parts })], vital), vital).toBe(figure);
    }
  });

  it("have none for RR intervals and for fast and slow averages", () => {
    const row = reading(1, {
      kind: "heart_monitor",
      numbers: { rr_interval: "930", spo2_fast: "97", pulse_rate_slow: "70" },
    });
    expect(signsAt([row], T0).every(({ tile }) => tile.state === "empty")).toBe(true);
  });

  it("take what is under way for no result", () => {
    const rows = [
      reading(1, { characteristic: "intermediate_cuff_pressure", numbers: { cuff_pressure: "140" } }),
      reading(2, {
        kind: "thermometer",
        characteristic: "intermediate_temperature",
        numbers: { temperature: "34.0" },
      }),
    ];
    expect(signsAt(rows, T0).map(({ vital }) => vital)).toEqual(["pressure", "spo2", "pulse"]);
    expect(state(rows, "pressure", T0)).toBe("empty");
  });
});

describe("a value grows old", () => {
  it("an oximeter's and a strap's: grey after 10 seconds, blank after 60", () => {
    const strap = reading(2, { at: T0, kind: "heart_monitor", numbers: { heart_rate: "64" } });
    for (const vital of ["spo2", "pulse", "heart_rate"] as const) {
      const rows = [finger(1, T0), strap];
      expect(state(rows, vital, T0 + 10_000), vital).toBe("now");
      expect(state(rows, vital, T0 + 10_001), vital).toBe("stale");
      expect(state(rows, vital, T0 + 60_000), vital).toBe("stale");
      expect(state(rows, vital, T0 + 60_001), vital).toBe("blank");
    }
  });

  it("a cuff's: grey after a quarter of an hour, never blank", () => {
    const rows = [pressure(1, T0)];
    expect(state(rows, "pressure", T0 + 15 * MINUTE)).toBe("now");
    expect(state(rows, "pressure", T0 + 15 * MINUTE + 1)).toBe("stale");
    expect(state(rows, "pressure", T0 + 600 * MINUTE)).toBe("stale");
  });

  it("a thermometer's, a glucose meter's and a scale's: grey after an hour, never blank", () => {
    const told: [Vital, Told][] = [
      ["temperature", { kind: "thermometer", numbers: { temperature: "36.5" } }],
      ["glucose", { kind: "glucose_meter", numbers: { glucose: "104" } }],
      ["weight", { kind: "scale", numbers: { weight: "58.2" } }],
    ];
    for (const [vital, parts] of told) {
      const rows = [reading(1, { at: T0, ...parts })];
      expect(state(rows, vital, T0 + 60 * MINUTE), vital).toBe("now");
      expect(state(rows, vital, T0 + 60 * MINUTE + 1), vital).toBe("stale");
      expect(state(rows, vital, T0 + 6_000 * MINUTE), vital).toBe("stale");
    }
  });

  it("by the broker's clock, whatever the gateway's says", () => {
    const day = 24 * 60 * MINUTE;
    const row = { ...pressure(1, T0 + day), stored: T0 };
    const tile = sign([row], "pressure", T0 + 1_000)?.tile;
    expect(tile?.state !== "empty" && tile?.source.ageMs).toBe(1_000);
  });
});

describe("what stands as now", () => {
  it("is the last measured, not the last that arrived", () => {
    const rows = [finger(1, T0 + 2_000, {}, "96"), finger(2, T0, {}, "91")];
    expect(shown(rows, "spo2", T0 + 2_500)).toBe("96");
  });

  it("is never late (後着), held back or withdrawn", () => {
    const withdrawn = {
      checked: { type: "withdrawn" as const, by: "山本", at: T0, reason: "x", replaced_by: null },
    };
    for (const told of [{ late: true }, { quarantined: true }, withdrawn]) {
      const rows = [pressure(1, T0, {}, "128"), pressure(2, T0 + 1_000, told, "190")];
      expect(shown(rows, "pressure", T0 + 2_000)).toBe("128/76");
    }
  });

  it("is a failed attempt, with its reason and without the number before", () => {
    const rows = [pressure(1, T0), reading(2, { at: T0 + 1_000, fault: true })];
    const tile = sign(rows, "pressure", T0 + 2_000)?.tile;
    expect(tile?.state === "fault" && tile.reason).toBe("cuff_error");
    expect(tile).not.toHaveProperty("figures");
  });

  it("is no pressure when the cuff only counted a pulse, and no pulse either", () => {
    const rows = [
      reading(1, { at: T0, numbers: { systolic: null, diastolic: null, pulse_rate: "80" } }),
    ];
    expect(state(rows, "pressure", T0)).toBe("fault");
    expect(state(rows, "pulse", T0)).toBe("empty");
  });

  it("is nothing while the finger is out of the sensor", () => {
    const rows = [finger(1, T0), finger(2, T0 + 1_000, {}, null)];
    expect(state(rows, "spo2", T0 + 1_500)).toBe("fault");
    expect(state(rows, "pulse", T0 + 1_500)).toBe("fault");
  });

  it("is the oximeter's pulse while it runs, else the cuff's", () => {
    const rows = [finger(1, T0), pressure(2, T0 + 1_000)];
    expect(shown(rows, "pulse", T0 + 2_000)).toBe("72");
    expect(shown(rows, "pulse", T0 + 70_000)).toBe("71");
    const out = [...rows, finger(3, T0 + 2_000, {}, null)];
    expect(shown(out, "pulse", T0 + 3_000)).toBe("71");
  });

  it("is what a person typed once it is newer, and the running device's as long as it runs", () => {
    const rows = [pressure(1, T0), typed(2, T0 + 1_000, { systolic: "140", diastolic: "90" })];
    expect(shown(rows, "pressure", T0 + 2_000)).toBe("140/90");
    const both = [finger(1, T0), typed(2, T0 + 1_000, { spo2: "91" })];
    expect(shown(both, "spo2", T0 + 2_000)).toBe("97");
    expect(shown(both, "spo2", T0 + 70_000)).toBe("91");
  });

  it("keeps what a cuff in kPa itself said", () => {
    const row = pressure(1, T0);
    if (row.outcome.type !== "reading") throw new Error("a reading");
    for (const one of row.outcome.measurements) one.original = { value: "16.0", unit: "kPa" };
    const tile = sign([row], "pressure")?.tile;
    if (tile?.state !== "now") throw new Error("a value of now");
    expect(originalOf(tile.figures, "pressure")).toEqual({ text: "16.0/16.0", unit: "kPa" });
  });
});

describe("a value that no living person shows", () => {
  const breaths = (seq: number, at: number, value: string, told: Told = {}) =>
    reading(seq, { at, kind: "oximeter", numbers: { respiration_rate: value }, ...told });
  const wild = { quality: ["implausible" as const] };

  it("waits and never stands as now", () => {
    const rows = [breaths(1, T0, "16"), breaths(2, T0 + 1_000, "400", wild)];
    expect(shown(rows, "respiration", T0 + 1_500)).toBe("16");
    expect(sign(rows, "respiration", T0 + 1_500)?.waits?.row.seq).toBe(2);
    expect(state([breaths(1, T0, "400", wild)], "respiration", T0)).toBe("empty");
  });

  it("no longer asks once a newer value has come", () => {
    const rows = [breaths(1, T0, "400", wild), breaths(2, T0 + 1_000, "16")];
    expect(sign(rows, "respiration", T0 + 1_500)?.waits).toBeUndefined();
  });

  it("stands once somebody has confirmed it, and never once somebody has withdrawn it", () => {
    const confirmed = { ...wild, checked: { type: "confirmed" as const, by: "山本", at: T0 } };
    expect(shown([breaths(1, T0, "400", confirmed)], "respiration")).toBe("400");
    const withdrawn = {
      ...wild,
      checked: { type: "withdrawn" as const, by: "山本", at: T0, reason: "x", replaced_by: null },
    };
    const rows = [breaths(1, T0, "400", withdrawn)];
    expect(shown(rows, "respiration")).toBeUndefined();
    expect(sign(rows, "respiration")?.waits).toBeUndefined();
  });

  it("is told by the device's mark alone, and a failed attempt never waits", () => {
    expect(waitsForConfirmation(breaths(1, T0, "16"))).toBe(false);
    expect(waitsForConfirmation(breaths(1, T0, "16", wild))).toBe(true);
    expect(waitsForConfirmation(reading(1, { fault: true, ...wild }))).toBe(false);
  });
});

describe("the way to a newer value that came late", () => {
  it("is told with the time of measuring, and the tile keeps its own value", () => {
    const rows = [
      pressure(1, T0),
      pressure(2, T0 + 180_000, { late: true }, "141"),
      pressure(3, T0 + 420_000, { late: true }, "150"),
    ];
    expect(sign(rows, "pressure", T0 + 600_000)?.newerLate).toBe(T0 + 420_000);
    expect(shown(rows, "pressure", T0 + 600_000)).toBe("128/76");
  });

  it("is there after a failed attempt and on an empty tile", () => {
    const late = pressure(2, T0 + 1_000, { late: true });
    const failed = reading(1, { at: T0, fault: true });
    expect(sign([failed, late], "pressure", T0 + 2_000)?.newerLate).toBe(T0 + 1_000);
    expect(sign([late], "pressure", T0 + 2_000)).toMatchObject({
      tile: { state: "empty" },
      newerLate: T0 + 1_000,
    });
  });

  it("is gone once a value of now is newer", () => {
    const rows = [pressure(1, T0, { late: true }), pressure(2, T0 + 1_000)];
    expect(sign(rows, "pressure", T0 + 2_000)?.newerLate).toBeUndefined();
  });

  it("does not lead to what is held back, to a failure, or from the cuff to the finger", () => {
    const rows = [
      pressure(1, T0),
      pressure(2, T0 + 1_000, { late: true, quarantined: true }),
      reading(3, { at: T0 + 2_000, late: true, numbers: { systolic: null, pulse_rate: "80" } }),
      finger(4, T0 + 3_000, { late: true }),
    ];
    expect(sign(rows, "pressure", T0 + 4_000)?.newerLate).toBeUndefined();
    expect(sign(rows, "spo2", T0 + 4_000)?.newerLate).toBe(T0 + 3_000);
  });

  it("weighs people in steps that people say, and keeps what the device said", () => {
    const weighed = (value: string) => {
      const row = reading(1, { kind: "scale", characteristic: "weight", numbers: { weight: value } });
      return figuresOf(row).get("weight")?.text;
    };
    expect(["58.500", "58.455", "3.205", "58", "120.0"].map(weighed)).toEqual([
      "58.5",
      "58.5",
      "3.21",
      "58",
      "120.0",
    ]);
  });
});
