// `kit(key)`: the words of home kits for staff, and their rules as sentences.

import type { ChangeRule, Fired, Quantity, Unit } from "../wire/types";
import { dictionary, language } from "./dictionary";
import ja from "./kit.ja";
import { quantityName } from "./staff";

export const kit = dictionary(ja, () => import("./kit.en").then((file) => file.default));

/** In which unit a quantity is watched; the protocol's `watched_unit`. */
export const WATCHED_UNIT: Partial<Record<Quantity, Unit>> = {
  systolic: "mmHg",
  diastolic: "mmHg",
  pulse_rate: "/min",
  heart_rate: "/min",
  respiration_rate: "/min",
  spo2: "%",
  temperature: "°C",
  weight: "kg",
  glucose: "mg/dL",
};

const HOUR_MS = 3_600_000;

/** "24", "0.5": hours of a span. */
export function hoursOf(ms: number): string {
  return String(Math.round((ms / HOUR_MS) * 100) / 100);
}

/** What a rule says. */
export function ruleWords(rule: ChangeRule): string {
  const about = { what: watchedName(rule.what), unit: WATCHED_UNIT[rule.what] ?? "" };
  switch (rule.type) {
    case "above":
      return kit("rule_above", { ...about, limit: rule.limit });
    case "below":
      return kit("rule_below", { ...about, limit: rule.limit });
    case "changed":
      return kit("rule_changed", { ...about, by: rule.by, hours: hoursOf(rule.within) });
    case "missing":
      return kit("rule_missing", { ...about, hours: hoursOf(rule.within) });
  }
}

/** Why a ticket is there, in one sentence. */
export function firedWords({ rule, value, before }: Fired): string {
  const about = {
    what: watchedName(rule.what),
    unit: WATCHED_UNIT[rule.what] ?? "",
    value: value ?? "",
    before: before ?? "",
  };
  switch (rule.type) {
    case "above":
      return kit("fired_above", { ...about, limit: rule.limit });
    case "below":
      return kit("fired_below", { ...about, limit: rule.limit });
    case "changed":
      return kit("fired_changed", { ...about, by: rule.by, hours: hoursOf(rule.within) });
    case "missing":
      return kit("fired_missing", { ...about, hours: hoursOf(rule.within) });
  }
}

/** What a watched number is called. */
export function watchedName(what: Quantity): string {
  if (what === "systolic" || what === "diastolic") return kit(`what_${what}`);
  return quantityName(what);
}

/** "11/22 08:05": a moment of the last days or months, in the screen's own time zone. */
export function dayAndTime(at: number): string {
  return new Date(at).toLocaleString(language.value, {
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}
