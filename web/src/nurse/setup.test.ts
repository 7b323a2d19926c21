import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DeviceRow, DeviceStatus, Trouble } from "../wire/types";
import nurseEn from "../words/nurse.en";
import nurseJa from "../words/nurse.ja";
import { FAULTS, setupOf, signalBars, STANDS_AT, STEPS } from "./setup";

const T0 = 1_790_000_000_000;

function device(status: Partial<DeviceStatus> = {}, row: Partial<DeviceRow> = {}): DeviceRow {
  return {
    ticket: "t-1",
    gateway_present: true,
    ...row,
    status: {
      device: "sim-oximeter-1",
      kind: "oximeter",
      model: "SIM",
      connected: true,
      battery_percent: 80,
      bound: "s-1",
      measuring: false,
      startable: false,
      last_frame_at: T0,
      signal_dbm: -55,
      clock_off: null,
      trouble: null,
      ...status,
    },
  };
}
const here = (row: DeviceRow, now = T0) =>
  setupOf(row, now).find(({ state }) => state === "here")?.step;
const exported = (name: string) =>
  [...readFileSync(new URL(`../wire/generated/${name}.ts`, import.meta.url), "utf8").matchAll(/"([a-z_]+)"/g)]
    .map((found) => found[1] ?? "")
    .filter((name) => name !== "");

describe("the way of a device to its value", () => {
  it("is ticked to the end when a value comes", () => {
    expect(setupOf(device(), T0).every(({ state }) => state === "done")).toBe(true);
  });

  it("stands at the first step that is not done", () => {
    expect(here(device({ connected: false, signal_dbm: null, last_frame_at: null }))).toBe("seen");
    expect(here(device({}, { gateway_present: false }))).toBe("seen");
    expect(here(device({}, { ticket: null }))).toBe("worn");
    expect(here(device({ last_frame_at: null }))).toBe("value");
  });

  it("takes a cuff that has hung up after its value for seen", () => {
    const cuff = device({ kind: "cuff", connected: false, signal_dbm: null });
    expect(here(cuff, T0 + 60_000)).toBeUndefined();
  });

  it("takes an oximeter's value for coming only while it comes", () => {
    expect(here(device(), T0 + 11_000)).toBe("value");
  });

  it.each(exported("Trouble"))("stands where %s is in the way", (trouble) => {
    expect(here(device({ trouble: trouble as Trouble }))).toBe(STANDS_AT[trouble as Trouble]);
  });
});

describe("the words of the set-up", () => {
  it.each(exported("Trouble"))("name %s and one remedy in each language", (trouble) => {
    for (const words of [nurseJa, nurseEn] as Record<string, unknown>[]) {
      expect(words[`trouble_${trouble}`], trouble).toMatch(/./);
      expect(words[`remedy_${trouble}`], trouble).toMatch(/./);
    }
  });

  it("are all different: no two faults are told alike", () => {
    for (const words of [nurseJa, nurseEn] as Record<string, unknown>[]) {
      const said = exported("Trouble").flatMap((one) => [words[`trouble_${one}`], words[`remedy_${one}`]]);
      expect(new Set(said).size).toBe(said.length);
    }
  });

  it("have a sentence for each step and for what is to be done there", () => {
    for (const words of [nurseJa, nurseEn] as Record<string, unknown>[]) {
      for (const step of STEPS) expect(words[`step_${step}`], step).toMatch(/./);
    }
  });

  it("have a button for every fault that a device can rehearse", () => {
    const rehearsed = new Set(Object.values(FAULTS).flat());
    expect([...rehearsed].sort()).toEqual(exported("SimulatedFault").sort());
    for (const words of [nurseJa, nurseEn] as Record<string, unknown>[]) {
      for (const fault of rehearsed) expect(words[`fault_${fault}`], fault).toMatch(/./);
    }
  });
});

describe("the bars of a signal", () => {
  it("fall with it", () => {
    expect([-50, -65, -75, -95].map((dbm) => signalBars(dbm))).toEqual([4, 3, 2, 1]);
  });
});
