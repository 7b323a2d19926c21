// Readings turned into what a person looks at: the newest value of each vital sign, how old it is,
// and whether it is still worth believing. Pure: time is an argument.

import type { DeviceKind, FaultReason, Original, Quantity, ReadingRow, Unit } from "./types";

/** The vital signs that have a tile, in their order. */
export const VITALS = [
  "pressure",
  "spo2",
  "pulse",
  "temperature",
  "heart_rate",
  "respiration",
  "glucose",
  "weight",
] as const;
export type Vital = (typeof VITALS)[number];

/** Tiles that always stand; the others come with their first row. */
const ALWAYS: readonly Vital[] = ["pressure", "spo2", "pulse"];

/** The number that a tile is about: the first one that a row has. */
const MAIN: Record<Vital, readonly Quantity[]> = {
  pressure: ["systolic", "mean_arterial"],
  spo2: ["spo2"],
  pulse: ["pulse_rate"],
  temperature: ["temperature"],
  heart_rate: ["heart_rate"],
  respiration: ["respiration_rate"],
  glucose: ["glucose"],
  weight: ["weight"],
};

/** What a device of a kind is for: of these its failed attempts speak. */
const PURPOSE: Record<DeviceKind, readonly Vital[]> = {
  cuff: ["pressure"],
  oximeter: ["spo2", "pulse"],
  thermometer: ["temperature"],
  heart_monitor: ["heart_rate"],
  scale: ["weight"],
  glucose_meter: ["glucose"],
  person: [],
};

/** How long a value is good. */
interface Life {
  /** Older than this, it is grey. */
  readonly greyMs: number;
  /** Older than this, it is no longer shown as now. */
  readonly blankMs: number;
}
const RUNNING: Life = { greyMs: 10_000, blankMs: 60_000 };
const SINGLE: Life = { greyMs: 15 * 60_000, blankMs: Number.POSITIVE_INFINITY };
const SLOW: Life = { greyMs: 60 * 60_000, blankMs: Number.POSITIVE_INFINITY };

/** An oximeter measures all the time, a cuff now and then; a weight changes slowly. */
export function lifeOf(kind: DeviceKind, vital: Vital): Life {
  if (isRunning(kind)) return RUNNING;
  return vital === "temperature" || vital === "glucose" || vital === "weight" ? SLOW : SINGLE;
}

/** It brings a value a second, of which one is like the next. */
export function isRunning(kind: DeviceKind): boolean {
  return kind === "oximeter" || kind === "heart_monitor";
}

/** A number as the device said it (`16.0`), with its unit. */
export interface Figure {
  readonly text: string;
  readonly unit: Unit;
  /** What the device said, where it spoke in another unit. */
  readonly original: Original | null;
}
export type Figures = ReadonlyMap<Quantity, Figure>;

/** Where and when a tile's value comes from. */
export interface Source {
  readonly row: ReadingRow;
  /** When it was measured, by the gateway's or the device's clock. */
  readonly at: number;
  readonly ageMs: number;
}

export type Tile =
  /** Nothing was measured yet. */
  | { readonly state: "empty" }
  /** A value that may be read as now; `stale`: greyed, with its age. */
  | { readonly state: "now" | "stale"; readonly figures: Figures; readonly source: Source }
  /** Too old for a number. */
  | { readonly state: "blank"; readonly source: Source }
  /** The newest attempt gave no number: staff read why, a patient 「もう一度はかります」. */
  | {
      readonly state: "fault";
      readonly source: Source;
      /** Absent when a running measurement only says why it has no number (a finger out). */
      readonly reason: FaultReason | undefined;
    };

export interface Sign {
  readonly vital: Vital;
  readonly tile: Tile;
  /** The newest value that waits for somebody to look again, if it is newer than the tile's. */
  readonly waits: Source | undefined;
  /** When a value was measured that came late (後着) and is newer: it is in the trend only. */
  readonly newerLate: number | undefined;
}

/** When a row was measured; nothing is measured after it was received. */
export function measuredAt(row: ReadingRow): number {
  const { device_time, gateway_time } = row.outcome;
  return Math.min(device_time?.at ?? gateway_time, gateway_time);
}

/** How old a value is, whatever the gateway's clock says. */
export function ageMs(row: ReadingRow, now: number): number {
  return Math.max(0, now - row.stored + row.outcome.gateway_time - measuredAt(row));
}

/**
 * Outside what a living person shows, and nobody has looked at it again: it stands in no "now" tile
 * until then. The broker's rule, `ReadingRow::waits_for_confirmation`.
 */
export function waitsForConfirmation(row: ReadingRow): boolean {
  const { outcome, checked } = row;
  return outcome.type === "reading" && checked === null && outcome.quality.includes("implausible");
}

/** Somebody said that it does not count. */
export function isWithdrawn(row: ReadingRow): boolean {
  return row.checked?.type === "withdrawn";
}

/** A picture of a measurement under way, never its result. */
export function isUnderWay(row: ReadingRow): boolean {
  const { characteristic } = row.outcome;
  return (
    characteristic === "intermediate_cuff_pressure" || characteristic === "intermediate_temperature"
  );
}

/** The numbers of a row; words in place of numbers and withheld ones are not among them. */
export function figuresOf({ outcome }: ReadingRow): Figures {
  const figures = new Map<Quantity, Figure>();
  for (const { what, value, unit, original } of outcome.type === "reading" ? outcome.measurements : []) {
    if (value.type === "number") figures.set(what, { text: shownText(value.value, unit), unit, original });
  }
  return figures;
}

/**
 * A scale says `58.500` because it counts in steps of 5 g; people say 58.5, of a newborn 3.21. What the
 * device said stays in the reading.
 */
function shownText(text: string, unit: Unit): string {
  if (unit !== "kg" || !text.includes(".")) return text;
  return Number(text).toFixed(Number(text) < 10 ? 2 : 1);
}

/** A vital's digits as one word: `128/79`, `97`, `36.5`; `undefined` where the main one is missing. */
export function figureOf(figures: Figures, vital: Vital): Figure | undefined {
  const main = MAIN[vital].map((what) => figures.get(what)).find((figure) => figure !== undefined);
  if (!main || vital !== "pressure") return main;
  const [high, low] = [figures.get("systolic"), figures.get("diastolic")];
  return { ...main, text: `${high?.text ?? "–"}/${low?.text ?? "–"}` };
}

/** What the device itself said, where it spoke in another unit: `16.0/10.5` in kPa. */
export function originalOf(figures: Figures, vital: Vital): Omit<Figure, "original"> | undefined {
  const named = vital === "pressure" ? (["systolic", "diastolic"] as const) : MAIN[vital];
  const said = named.flatMap((what) => figures.get(what)?.original ?? []);
  const unit = said[0]?.unit;
  return unit && { text: said.map(({ value }) => value).join("/"), unit };
}

/** Whether a row has a number of a vital (`value`), tried for one (`nothing`), or is of others. */
function speaksOf(row: ReadingRow, vital: Vital): "value" | "nothing" | undefined {
  const { outcome } = row;
  const { kind } = outcome.device;
  if (outcome.type === "fault") return PURPOSE[kind].includes(vital) ? "nothing" : undefined;
  const entries = outcome.measurements;
  const has = (one: Vital) =>
    entries.some(({ what, value }) => MAIN[one].includes(what) && value.type === "number");
  // A cuff's pulse alone is no measurement: without a pressure, it failed.
  if (kind === "cuff" && !has("pressure")) return vital === "pressure" ? "nothing" : undefined;
  if (has(vital)) return "value";
  const empty = entries.every(({ value }) => value.type !== "number");
  const tried = entries.some(({ what }) => MAIN[vital].includes(what));
  return tried || (empty && PURPOSE[kind].includes(vital)) ? "nothing" : undefined;
}

/** The newest rows of one vital, before time is looked at. */
interface Newest {
  running?: ReadingRow;
  single?: ReadingRow;
  waits?: ReadingRow;
  late?: ReadingRow;
}

/**
 * What stands on the tiles at the broker's time `now`. Late rows (後着), rows that are held back,
 * withdrawn ones and those that wait for a confirmation are never now.
 */
export function signsAt(rows: readonly ReadingRow[], now: number): Sign[] {
  const found = newestOf(rows);
  return VITALS.filter((vital) => ALWAYS.includes(vital) || found.has(vital)).map((vital) => {
    const { running, single, waits, late } = found.get(vital) ?? {};
    const tile = choose(vital, tileOf(running, vital, now), tileOf(single, vital, now));
    const shownAt = tile.state === "empty" ? Number.NEGATIVE_INFINITY : tile.source.at;
    const newer = (row: ReadingRow | undefined) => row && measuredAt(row) > shownAt;
    return {
      vital,
      tile,
      waits: waits && newer(waits) ? sourceOf(waits, now) : undefined,
      newerLate: late && newer(late) ? measuredAt(late) : undefined,
    };
  });
}

function newestOf(rows: readonly ReadingRow[]): Map<Vital, Newest> {
  const found = new Map<Vital, Newest>();
  for (const row of rows) {
    if (row.quarantined || isWithdrawn(row) || isUnderWay(row)) continue;
    for (const vital of VITALS) {
      const spoken = speaksOf(row, vital);
      const place = spoken && placeOf(row, spoken);
      if (!place) continue;
      const newest = found.get(vital) ?? {};
      if (isNewer(row, newest[place])) newest[place] = row;
      found.set(vital, newest);
    }
  }
  return found;
}

function placeOf(row: ReadingRow, spoken: "value" | "nothing"): keyof Newest | undefined {
  const waits = waitsForConfirmation(row);
  // A late failure is no value, and a late value that nobody believes leads nowhere.
  if (row.late) return spoken === "value" && !waits ? "late" : undefined;
  if (waits) return "waits";
  return isRunning(row.outcome.device.kind) ? "running" : "single";
}

function isNewer(row: ReadingRow, other: ReadingRow | undefined): boolean {
  if (!other) return true;
  const [at, otherAt] = [measuredAt(row), measuredAt(other)];
  return at > otherAt || (at === otherAt && row.seq > other.seq);
}

function sourceOf(row: ReadingRow, now: number): Source {
  return { row, at: measuredAt(row), ageMs: ageMs(row, now) };
}

function tileOf(row: ReadingRow | undefined, vital: Vital, now: number): Tile {
  if (!row) return { state: "empty" };
  const source = sourceOf(row, now);
  const { outcome } = row;
  const life = lifeOf(outcome.device.kind, vital);
  if (source.ageMs > life.blankMs) return { state: "blank", source };
  if (speaksOf(row, vital) !== "value") {
    return { state: "fault", source, reason: outcome.type === "fault" ? outcome.reason : undefined };
  }
  const state = source.ageMs > life.greyMs ? "stale" : "now";
  return { state, figures: figuresOf(row), source };
}

/** What runs stands first; a single value stands in while nothing runs, or once it is the newer one. */
function choose(vital: Vital, running: Tile, single: Tile): Tile {
  if (running.state === "empty") return single;
  if (single.state === "empty" || running.state === "now") return running;
  if (running.state === "blank" || single.source.at > running.source.at) return single;
  // A finger out of the sensor leaves the pulse that the cuff counted.
  return running.state === "fault" && vital === "pulse" && single.state !== "fault" ? single : running;
}
