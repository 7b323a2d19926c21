// A rule as it is typed, and what the broker takes of it. Pure.

import { decimalOf, TYPED, TYPED_UNIT, type Typed } from "../wire/typed";
import type { ChangeRule } from "../wire/types";

export type RuleKind = ChangeRule["type"];
export const KINDS: readonly RuleKind[] = ["above", "below", "changed", "missing"];
/** What may be watched is what may be typed. */
export const WATCHED: readonly Typed[] = TYPED;

export interface RuleTexts {
  kind: RuleKind;
  what: Typed;
  /** The limit, or by how much. */
  number: string;
  hours: string;
}

export const EMPTY_RULE: RuleTexts = { kind: "above", what: "systolic", number: "", hours: "24" };

const HOUR_MS = 3_600_000;
const HOURS_MAX = 168;

export type RuleForm =
  | { readonly state: "wrong"; readonly number: boolean; readonly hours: boolean }
  | { readonly state: "ready"; readonly rule: ChangeRule };

export function asksNumber(kind: RuleKind): boolean {
  return kind !== "missing";
}

export function asksHours(kind: RuleKind): boolean {
  return kind === "changed" || kind === "missing";
}

/** The unit beside the number. */
export function unitOf(what: Typed): string {
  return TYPED_UNIT[what];
}

export function ruleOf({ kind, what, number, hours }: RuleTexts): RuleForm {
  const value = decimalOf(number);
  const count = Number(decimalOf(hours));
  const isNumber = value !== undefined && (kind !== "changed" || Number(value) > 0);
  const isHours = count >= 1 && count <= HOURS_MAX;
  const wrong = { number: asksNumber(kind) && !isNumber, hours: asksHours(kind) && !isHours };
  if (wrong.number || wrong.hours) return { state: "wrong", ...wrong };
  const within = Math.round(count * HOUR_MS);
  const limit = value ?? "";
  switch (kind) {
    case "above":
    case "below":
      return { state: "ready", rule: { type: kind, what, limit } };
    case "changed":
      return { state: "ready", rule: { type: kind, what, by: limit, within } };
    case "missing":
      return { state: "ready", rule: { type: kind, what, within } };
  }
}

/** A rule that stands, to be changed. */
export function textsOfRule(rule: ChangeRule): RuleTexts {
  const what = WATCHED.find((one) => one === rule.what) ?? EMPTY_RULE.what;
  const within = "within" in rule ? String(rule.within / HOUR_MS) : EMPTY_RULE.hours;
  const number = "limit" in rule ? rule.limit : "by" in rule ? rule.by : "";
  return { kind: rule.type, what, number, hours: within };
}
