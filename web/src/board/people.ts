// A list of people to invite, checked line by line before anything is sent. Plain functions.

import type { Act, Person, Triage } from "../wire/types";
import { birthDate } from "../words/era";

type Invitation = Extract<Act, { type: "invite" }>["people"][number];

/** The broker takes at most so many in one go. */
export const PEOPLE_MAX = 200;
/** The protocol's longest texts, in characters. */
export const LENGTH_MAX = { name: 80, kana: 80, call_back: 30, location: 120 } as const;

/** What is wrong with a line, for a sentence beside it. */
export type Flaw =
  | "name_missing"
  | "name_long"
  | "kana_long"
  | "birth_date_wrong"
  | "birth_date_future"
  | "call_back_wrong"
  | "location_long"
  | "triage_unknown"
  | "first_visit_unknown"
  | "repeated"
  | "columns_many";

export interface Line {
  /** 1 for the first line of the list, its header counted. */
  readonly number: number;
  readonly invitation: Invitation;
  readonly flaws: readonly Flaw[];
}

export type Column = keyof Person | "triage" | "first_visit";

export const COLUMNS: readonly Column[] = [
  "name",
  "kana",
  "birth_date",
  "call_back",
  "location",
  "triage",
  "first_visit",
];

const HEADINGS: Record<Column, readonly string[]> = {
  name: ["name", "氏名", "名前", "お名前", "患者氏名"],
  kana: ["kana", "ふりがな", "フリガナ", "かな", "カナ", "氏名カナ"],
  birth_date: ["birth_date", "生年月日", "誕生日"],
  call_back: ["call_back", "電話", "電話番号", "折り返し電話", "携帯電話", "phone", "tel"],
  location: ["location", "いる場所", "所在地", "住所", "場所", "address"],
  triage: ["triage", "緊急度", "トリアージ"],
  first_visit: ["first_visit", "初診", "初診・病歴不明"],
};

const TRIAGES: Record<Triage, readonly string[]> = {
  emergency: ["emergency", "緊急"],
  urgent: ["urgent", "急ぎ", "至急"],
  standard: ["standard", "通常", ""],
  revisit: ["revisit", "再診"],
};

const YES = ["true", "1", "yes", "y", "はい", "初診", "○", "〇", "有"];
const NO = ["false", "0", "no", "n", "いいえ", "再診", "×", "無", ""];

/** Cells to people; a heading may stand in any order, without one the order is `COLUMNS`. */
export function readPeople(cells: readonly (readonly string[])[], today: string): Line[] {
  const heading = cells[0]?.map(columnOf) ?? [];
  const hasHeading = heading.includes("name") && heading.filter(Boolean).length >= 2;
  const order: readonly (Column | undefined)[] = hasHeading ? heading : COLUMNS;
  const lines = cells.slice(hasHeading ? 1 : 0).map((row, at) => {
    const number = at + (hasHeading ? 2 : 1);
    return readLine(row, order, number, today);
  });
  return markRepeated(lines);
}

function columnOf(text: string): Column | undefined {
  const plain = text.normalize("NFKC").trim().toLowerCase();
  return COLUMNS.find((column) => HEADINGS[column].includes(plain));
}

function readLine(
  row: readonly string[],
  order: readonly (Column | undefined)[],
  number: number,
  today: string,
): Line {
  const text = (column: Column) => {
    const at = order.indexOf(column);
    return at < 0 ? "" : (row[at] ?? "").trim();
  };
  const wished = text("triage").normalize("NFKC").toLowerCase();
  const triage = (Object.keys(TRIAGES) as Triage[]).find((one) => TRIAGES[one].includes(wished));
  const first = text("first_visit").normalize("NFKC").toLowerCase();
  const born = birthDate(text("birth_date"));
  const person: Person = {
    name: text("name"),
    kana: text("kana"),
    birth_date: born ?? text("birth_date"),
    call_back: text("call_back").normalize("NFKC"),
    location: text("location"),
  };
  const flaws = flawsOf(person, today);
  if (!triage) flaws.push("triage_unknown");
  if (![...YES, ...NO].includes(first)) flaws.push("first_visit_unknown");
  if (row.slice(order.length).some((cell) => cell.trim() !== "")) flaws.push("columns_many");
  const invitation = { person, triage: triage ?? "standard", first_visit: YES.includes(first) };
  return { number, invitation, flaws };
}

/** What is wrong with one person's data; `today` is `YYYY-MM-DD`. */
export function flawsOf(person: Person, today: string): Flaw[] {
  const flaws: Flaw[] = [];
  const long = (field: keyof typeof LENGTH_MAX) => [...person[field]].length > LENGTH_MAX[field];
  if (person.name.trim() === "") flaws.push("name_missing");
  if (long("name")) flaws.push("name_long");
  if (long("kana")) flaws.push("kana_long");
  const born = birthDate(person.birth_date);
  if (!born) flaws.push("birth_date_wrong");
  else if (born > today) flaws.push("birth_date_future");
  // Without a number nobody can look for somebody who does not answer.
  const digits = person.call_back.replace(/[^0-9]/g, "").length;
  const telephone = /^\+?[0-9()\-\s]+$/.test(person.call_back) && digits >= 9 && digits <= 15;
  if (!telephone || long("call_back")) flaws.push("call_back_wrong");
  if (long("location")) flaws.push("location_long");
  return flaws;
}

function markRepeated(lines: readonly Line[]): Line[] {
  const seen = new Set<string>();
  return lines.map((line) => {
    const { name, birth_date } = line.invitation.person;
    const who = `${name.normalize("NFKC").replace(/\s/g, "")}|${birth_date}`;
    const repeated = seen.has(who);
    seen.add(who);
    return repeated ? { ...line, flaws: [...line.flaws, "repeated"] } : line;
  });
}
