// Whose a measurement is that is nobody's yet: two things identify the person, and once some time
// has passed also why. The broker checks again; here it is only said early. Pure.

import { birthDate } from "../words/era";
import type { Act, HeldRow } from "../wire/types";
import { ticketCode } from "./scanned";

/** Older than this, a measurement is settled only with a reason. */
export const REASON_AFTER_MS = 30 * 60_000;

export interface HeldForm {
  /** The chosen patient's ticket. */
  readonly ticket: string | undefined;
  readonly code: string;
  readonly birthDate: string;
  readonly reason: string;
}
export const EMPTY_HELD: HeldForm = { ticket: undefined, code: "", birthDate: "", reason: "" };

export function needsReason(row: HeldRow, now: number): boolean {
  return now - Math.min(row.measured_at, row.gateway_time) > REASON_AFTER_MS;
}

/** What is still to be filled in. `asked`: the broker wants a reason. */
export function lackingOf(form: HeldForm, row: HeldRow, now: number, asked = false): Set<keyof HeldForm> {
  const lacking = new Set<keyof HeldForm>();
  if (!form.ticket) lacking.add("ticket");
  if (!form.code.trim()) lacking.add("code");
  if (!birthDate(form.birthDate)) lacking.add("birthDate");
  if ((asked || needsReason(row, now)) && !form.reason.trim()) lacking.add("reason");
  return lacking;
}

/** The verb that says whose it is; a birth date may be typed as on a card. */
export function settleAct(form: HeldForm, row: HeldRow): Act {
  return {
    type: "settle_reading",
    reading: row.reading,
    ticket: form.ticket ?? "",
    code: ticketCode(form.code),
    birth_date: birthDate(form.birthDate) ?? form.birthDate,
    reason: form.reason.trim(),
  };
}
