// What 受付 asks of a person. The broker checks again; here it is only said early. Pure.

import { birthDate } from "../words/era";
import type { Person } from "../wire/types";

export const EMPTY: Person = { name: "", kana: "", birth_date: "", call_back: "", location: "" };

/** The person with a birth date as the broker wants it; it may be typed as on a card (昭和19年…). */
export function tidy(person: Person): Person {
  return { ...person, birth_date: birthDate(person.birth_date) ?? person.birth_date };
}

/** Fields without which nobody can be treated safely. */
export function missing(person: Person): Set<keyof Person> {
  const lacking = new Set<keyof Person>();
  if (!person.name.trim()) lacking.add("name");
  if (!birthDate(person.birth_date)) lacking.add("birth_date");
  if (!person.call_back.trim()) lacking.add("call_back");
  if (!person.location.trim()) lacking.add("location");
  return lacking;
}
