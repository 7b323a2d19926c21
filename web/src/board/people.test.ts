// Lists of people to invite: what is understood and what is sent back with a reason.

import { describe, expect, it } from "vitest";
import { decodeFile, parseCsv, writeCsv } from "./csv";
import { readPeople } from "./people";

const TODAY = "2026-11-22";
const read = (text: string) => readPeople(parseCsv(text), TODAY);

describe("comma-separated text", () => {
  it("understands quotes, doubled quotes, line ends of both kinds and a byte order mark", () => {
    const rows = parseCsv('\uFEFFa,"b,1"\r\n"say ""hi""","two\nlines"\n\n');
    expect(rows).toEqual([
      ["a", "b,1"],
      ['say "hi"', "two\nlines"],
    ]);
  });

  it("understands what is copied out of a spreadsheet", () => {
    expect(parseCsv("a\tb\nc\td")).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  it("reads back what it wrote", () => {
    const rows = [
      ["佐藤, ハナ", 'a"b'],
      ["+81 90-0000-0000", ""],
    ];
    expect(parseCsv(writeCsv(rows))).toEqual(rows);
  });

  it("never writes a cell that a spreadsheet would run as a formula", () => {
    expect(writeCsv([["=1+1"], ["+cmd|x"]])).toBe('\uFEFF" =1+1"\r\n" +cmd|x"\r\n');
  });

  it("reads a file in Shift_JIS", () => {
    expect(decodeFile(new Uint8Array([0x8e, 0x81, 0x96, 0xbc]).buffer)).toBe("氏名");
  });
});

describe("a list of people", () => {
  it("is read in the fixed order without a heading", () => {
    const [line] = read("佐藤 ハナ,さとう はな,S19.12.1,0599-00-0000,港島 2-3,急ぎ,初診");
    expect(line).toEqual({
      number: 1,
      flaws: [],
      invitation: {
        triage: "urgent",
        first_visit: true,
        person: {
          name: "佐藤 ハナ",
          kana: "さとう はな",
          birth_date: "1944-12-01",
          call_back: "0599-00-0000",
          location: "港島 2-3",
        },
      },
    });
  });

  it("is read by its heading in any order", () => {
    const [line] = read("電話番号,氏名,生年月日\n090-0000-0000,伊東 次郎,1950-01-02");
    expect(line?.invitation.person.name).toBe("伊東 次郎");
    expect(line?.invitation.triage).toBe("standard");
    expect(line?.number).toBe(2);
    expect(line?.flaws).toEqual([]);
  });

  it("says for each line what is wrong with it", () => {
    const lines = read(
      [
        "name,kana,birth_date,call_back,location,triage,first_visit",
        ",,1950-01-02,0599-00-0000,,,",
        "伊東,,1950-02-30,0599-00-0000,,,",
        "伊東,,2950-01-01,123,,very,perhaps",
        `${"長".repeat(81)},,1950-01-01,0599-00-0000,,,`,
      ].join("\n"),
    );
    expect(lines.map((line) => line.flaws)).toEqual([
      ["name_missing"],
      ["birth_date_wrong"],
      ["birth_date_future", "call_back_wrong", "triage_unknown", "first_visit_unknown"],
      ["name_long"],
    ]);
  });

  it("notices somebody who stands in it twice", () => {
    const lines = read("佐藤 ハナ,,1944-12-01,0599-00-0000\n佐藤　ハナ,,S19.12.1,0599-00-0000");
    expect(lines.map((line) => line.flaws)).toEqual([[], ["repeated"]]);
  });
});
