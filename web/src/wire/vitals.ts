// Readings turned into what a person looks at: the newest value of each vital sign, how old it is,
// and whether it is still worth believing. Pure: time is an argument.

import type {
  Device,
  FaultReason,
  Measurement,
  Quality,
  Quantity,
  ReadingRow,
  Unit,
} from "./types";

/** The vital signs that have a tile, in their order. */
export const VITALS = ["pressure", "spo2", "pulse"] as const;
export type Vital = (typeof VITALS)[number];

/** Older than this, a value is shown grey: a cuff measures now and then, an oximeter all the time. */
export const STALE_AFTER_MS: Record<Vital, number> = {
  pressure: 15 * 60_000,
  spo2: 10_000,
  pulse: 10_000,
};

interface About {
  vital: Vital;
  /** When it was measured, by the device's corrected clock or the gateway's. */
  at: number;
  device: Device;
  quality: readonly Quality[];
}

/** A value that may stand in a "now" tile. */
export interface Shown extends About {
  failed?: undefined;
  /** As the device wrote it: `128/79`, `97`, `16.0`. */
  figure: string;
  unit: Unit;
}

/** The last attempt gave nothing: staff read why, a patient reads 「もう一度はかります」. */
export interface Failed extends About {
  failed: true;
  /** Absent when a running measurement only says why it has no number (a finger out). */
  reason: FaultReason | undefined;
}

/** When a row was measured; nothing is measured after it was received. */
export function measuredAt(row: ReadingRow): number {
  const { device_time, gateway_time } = row.outcome;
  return Math.min(device_time?.at ?? gateway_time, gateway_time);
}

function measurement(row: ReadingRow, what: Quantity): Measurement | undefined {
  if (row.outcome.type !== "reading") return undefined;
  return row.outcome.measurements.find((one) => one.what === what);
}

/** One quantity's digits, if they may be shown. */
export function figure(row: ReadingRow, what: Quantity): string | undefined {
  const value = measurement(row, what)?.value;
  return value?.type === "number" ? value.value : undefined;
}

function pick(row: ReadingRow, vital: Vital): { figure: string; unit: Unit } | undefined {
  const main: Quantity =
    vital === "pressure" ? "systolic" : vital === "spo2" ? "spo2" : "pulse_rate";
  const first = figure(row, main);
  const unit = measurement(row, main)?.unit;
  if (first === undefined || unit === undefined) return undefined;
  if (vital !== "pressure") return { figure: first, unit };
  const second = figure(row, "diastolic");
  return { figure: `${first}/${second ?? "–"}`, unit };
}

/** Which vitals a message speaks of, whether or not it has numbers for them. */
function speaksOf(row: ReadingRow, vital: Vital): boolean {
  switch (row.outcome.characteristic) {
    case "blood_pressure":
      return vital === "pressure";
    case "oximeter_spot":
    case "oximeter_continuous":
      return vital === "spo2" || vital === "pulse";
    case "intermediate_cuff_pressure":
    case "temperature":
    case "intermediate_temperature":
    case "heart_rate":
    case "weight":
    case "body_composition":
    case "glucose":
    case "nonin_oximetry":
    case "serial_bci":
    case "serial_emay":
    case "serial_nonin":
    case "typed":
      return false;
  }
}

function tileOf(row: ReadingRow, vital: Vital): Shown | Failed {
  const { device, quality } = row.outcome;
  const about = { vital, at: measuredAt(row), device, quality };
  const value = pick(row, vital);
  if (value) return { ...about, ...value };
  const reason = row.outcome.type === "fault" ? row.outcome.reason : undefined;
  return { ...about, failed: true, reason };
}

/**
 * What the "now" tile of a vital shows. Late rows (後着) and rows that are held back are never
 * now; a pulse that the cuff counted stands in only while no oximeter has spoken.
 */
export function nowOf(rows: readonly ReadingRow[], vital: Vital): Shown | Failed | undefined {
  let cuffPulse: ReadingRow | undefined;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (!row || row.late || row.quarantined) continue;
    if (speaksOf(row, vital)) return tileOf(row, vital);
    if (vital === "pulse" && figure(row, "pulse_rate") !== undefined) cuffPulse ??= row;
  }
  return cuffPulse && tileOf(cuffPulse, "pulse");
}

/** Whether a value is too old to be believed as "now". */
export function isStale(vital: Vital, at: number, now: number): boolean {
  return now - at > STALE_AFTER_MS[vital];
}
