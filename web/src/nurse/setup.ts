// 機器の準備: what a device still needs before a value comes, step by step, and which step a fault
// stands at. Pure: time is an argument.

import type { DeviceKind, DeviceRow, SimulatedFault, Trouble } from "../wire/types";

/** In the order in which a device is made ready. */
export const STEPS = ["seen", "paired", "battery", "clock", "worn", "value"] as const;
export type Step = (typeof STEPS)[number];

/** At which step each trouble stands in the way. */
export const STANDS_AT: Record<Trouble, Step> = {
  out_of_range: "seen",
  not_paired: "paired",
  held_elsewhere: "paired",
  no_battery: "battery",
  clock_wrong: "clock",
  cuff_loose: "worn",
  body_moved: "worn",
  sensor_off: "worn",
};

/** A value that came so lately counts as coming; a cuff's stays one for longer. */
export const COMES_MS = { running: 10_000, single: 15 * 60_000 };

export interface SetupLine {
  readonly step: Step;
  /** done: a tick; here: what to do next; open: after that. */
  readonly state: "done" | "here" | "open";
}

/** The way of a device to its first value at the broker's time `now`. */
export function setupOf(device: DeviceRow, now: number): SetupLine[] {
  const done = STEPS.map((step) => isDone(step, device, now));
  const here = done.indexOf(false);
  return STEPS.map((step, at) => ({
    step,
    state: done[at] ? "done" : at === here ? "here" : "open",
  }));
}

function isDone(step: Step, device: DeviceRow, now: number): boolean {
  const { status, ticket, gateway_present } = device;
  const { trouble } = status;
  if (trouble && STANDS_AT[trouble] === step) return false;
  switch (step) {
    case "seen":
      return gateway_present && isSeen(device, now);
    case "paired":
      // Frames come only from a device that knows this box.
      return isSeen(device, now) && trouble !== "out_of_range";
    case "battery":
    case "clock":
      // A device that tells nothing of it has nothing to be put right.
      return isSeen(device, now);
    case "worn":
      return ticket !== null;
    case "value":
      return ticket !== null && comes(device, now);
  }
}

/** It answers, is heard, or has just sent something: a cuff hangs up after each value. */
function isSeen({ status }: DeviceRow, now: number): boolean {
  if (status.connected || status.signal_dbm !== null) return true;
  return status.last_frame_at !== null && now - status.last_frame_at <= COMES_MS.single;
}

function comes({ status }: DeviceRow, now: number): boolean {
  if (status.last_frame_at === null) return false;
  const running = status.kind === "oximeter" || status.kind === "heart_monitor";
  return now - status.last_frame_at <= (running ? COMES_MS.running : COMES_MS.single);
}

/** One to four bars, as a telephone draws them. */
export function signalBars(dbm: number): 1 | 2 | 3 | 4 {
  if (dbm >= -60) return 4;
  if (dbm >= -70) return 3;
  return dbm >= -80 ? 2 : 1;
}

/** A clock that is off by less is not worth a word. */
export const CLOCK_WORTH_MS = 60_000;

const EVERY: readonly SimulatedFault[] = [
  "silent",
  "battery_empty",
  "not_paired",
  "clock_wrong",
  "held_elsewhere",
  "implausible",
];

/** What a simulated device of each kind can be told to suffer. */
export const FAULTS: Record<DeviceKind, readonly SimulatedFault[]> = {
  cuff: ["cuff_error", "body_movement", "cuff_loose", ...EVERY],
  oximeter: ["low_perfusion", "sensor_displaced", "sensor_off", ...EVERY],
  thermometer: EVERY,
  heart_monitor: ["sensor_off", ...EVERY],
  scale: EVERY,
  glucose_meter: EVERY,
  person: [],
};
