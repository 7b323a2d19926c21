// What 受付 asks of a person. The broker checks again; here it is only said early. Pure.

import type { Person } from "../wire/types";

export const EMPTY: Person = { name: "", kana: "", birth_date: "", call_back: "", location: "" };

/** Fields without which nobody can be treated safely. */
export function missing(person: Person): Set<keyof Person> {
  const lacking = new Set<keyof Person>();
  if (!person.name.trim()) lacking.add("name");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(person.birth_date)) lacking.add("birth_date");
  if (!person.call_back.trim()) lacking.add("call_back");
  if (!person.location.trim()) lacking.add("location");
  return lacking;
}
