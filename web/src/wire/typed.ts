// Values that a person read, counted or felt: from what was typed to what the broker takes. Only
// the form is checked here; what a number means is for people. Pure: time is an argument.

import type { Quantity, ReadingRow, TypedValue, Unit } from "./types";
import { figuresOf } from "./vitals";

/** What may be typed, in its order. */
export const TYPED = [
  "systolic",
  "diastolic",
  "pulse_rate",
  "spo2",
  "temperature",
  "respiration_rate",
  "glucose",
  "weight",
] as const satisfies readonly Quantity[];
export type Typed = (typeof TYPED)[number];

/** In which unit each is typed; it stands beside the field. */
export const TYPED_UNIT: Record<Typed, Unit> = {
  systolic: "mmHg",
  diastolic: "mmHg",
  pulse_rate: "/min",
  spo2: "%",
  temperature: "°C",
  respiration_rate: "/min",
  glucose: "mg/dL",
  weight: "kg",
};

export type TypedTexts = Partial<Record<Typed, string>>;

/** `36.5` from ３６．５, 36,5 or 036.5; `undefined` for what is no number. */
export function decimalOf(text: string): string | undefined {
  const plain = text.normalize("NFKC").replace(/\s/g, "").replace(/[,。、・]/, ".");
  const found = /^0*(\d{1,4})(?:\.(\d{0,2}))?$/.exec(plain);
  if (!found) return undefined;
  return found[2] ? `${found[1]}.${found[2]}` : found[1];
}

export type TypedForm =
  | { readonly state: "empty" }
  | { readonly state: "wrong"; readonly fields: ReadonlySet<Typed> }
  | { readonly state: "ready"; readonly values: TypedValue[] };

/** What was typed as a whole: nothing is sent while one field is no number. */
export function typedForm(texts: TypedTexts): TypedForm {
  const filled = TYPED.filter((what) => texts[what]?.trim());
  const wrong = filled.filter((what) => decimalOf(texts[what] ?? "") === undefined);
  if (wrong.length > 0) return { state: "wrong", fields: new Set(wrong) };
  if (filled.length === 0) return { state: "empty" };
  const values = filled.flatMap((what) => {
    const value = decimalOf(texts[what] ?? "");
    return value === undefined ? [] : [{ what, value, unit: TYPED_UNIT[what] }];
  });
  return { state: "ready", values };
}

/** A row's numbers as they would have been typed, to be corrected. */
export function textsOf(row: ReadingRow): TypedTexts {
  const figures = figuresOf(row);
  const texts: TypedTexts = {};
  for (const what of TYPED) {
    const figure = figures.get(what);
    if (figure?.unit === TYPED_UNIT[what]) texts[what] = figure.text;
  }
  return texts;
}

/**
 * The last moment at which a clock on the wall showed `hourMinute` (`14:05`): within the last 24
 * hours, so that no date is asked for. `undefined` for what is no time of day.
 */
export function lastTime(hourMinute: string, now: number): number | undefined {
  const found = /^(\d{1,2}):(\d{2})$/.exec(hourMinute);
  if (!found) return undefined;
  const [hours, minutes] = [Number(found[1]), Number(found[2])];
  if (hours > 23 || minutes > 59) return undefined;
  const at = new Date(now);
  at.setHours(hours, minutes, 0, 0);
  if (at.getTime() > now) at.setDate(at.getDate() - 1);
  return at.getTime();
}
