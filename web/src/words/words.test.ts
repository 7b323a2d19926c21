import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONSENT_VERSION } from "../wire/types";
import codesEn from "./codes.en";
import codesJa from "./codes.ja";
import commonEn from "./common.en";
import commonJa from "./common.ja";
import boardEn from "./board.en";
import boardJa from "./board.ja";
import { fill, type Phrase } from "./dictionary";
import doctorEn from "./doctor.en";
import doctorJa from "./doctor.ja";
import homeEn from "./home.en";
import homeJa from "./home.ja";
import kitEn from "./kit.en";
import kitJa from "./kit.ja";
import entryEn from "./entry.en";
import entryJa from "./entry.ja";
import nurseEn from "./nurse.en";
import nurseJa from "./nurse.ja";
import patientEn from "./patient.en";
import patientJa from "./patient.ja";
import staffEn, { quality as qualityEn, quantity as quantityEn } from "./staff.en";
import staffJa, { quality as qualityJa, quantity as quantityJa } from "./staff.ja";

const PAIRS: Record<string, [Record<string, Phrase>, Record<string, Phrase>]> = {
  board: [boardJa, boardEn],
  doctor: [doctorJa, doctorEn],
  codes: [codesJa, codesEn],
  common: [commonJa, commonEn],
  entry: [entryJa, entryEn],
  home: [homeJa, homeEn],
  kit: [kitJa, kitEn],
  nurse: [nurseJa, nurseEn],
  patient: [patientJa, patientEn],
  staff: [staffJa, staffEn],
  quality: [qualityJa, qualityEn],
  quantity: [quantityJa, quantityEn],
};

const names = (phrase: Phrase): string[] =>
  typeof phrase === "function" ? [] : [...phrase.matchAll(/\{(\w+)\}/g)].map((found) => found[0]).sort();

describe("the dictionaries", () => {
  it("have a sentence for every code of the protocol in each language", () => {
    const exported = readFileSync(new URL("../wire/generated/Code.ts", import.meta.url), "utf8");
    const codes = [...exported.matchAll(/"([a-z_]+)"/g)].map((found) => found[1]).sort();
    expect(codes.length).toBeGreaterThan(40);
    expect(Object.keys(codesJa).sort()).toEqual(codes);
    expect(Object.keys(codesEn).sort()).toEqual(codes);
  });

  it.each(Object.entries(PAIRS))("say the same things in both languages: %s", (_, [ja, en]) => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(ja).sort());
    for (const [key, phrase] of Object.entries(ja)) {
      const other = en[key];
      if (other === undefined || typeof other === "function") continue;
      expect(other, key).not.toBe("");
      expect(names(other), key).toEqual(names(phrase));
    }
  });

  it("show no word to a patient that frightens or judges", () => {
    const forbidden = /エラー|失敗|異常|緊急|重症|軽症|トリアージ|error|triage|emergency|failed/i;
    // The ending 救急 is said where it is true: help is on its way.
    const shown = [entryJa, patientJa, entryEn, patientEn, commonJa, commonEn, homeJa, homeEn];
    for (const words of shown) {
      for (const [key, phrase] of Object.entries(words)) {
        expect(typeof phrase === "string" ? phrase : key, key).not.toMatch(forbidden);
      }
    }
  });

  it("keep three words for three acts: 受付, 呼び入れ, 同席許可", () => {
    expect(nurseJa.admit).toBe("受付");
    expect(String(nurseJa.called)).toContain("呼び入れ");
    expect(String(nurseJa.allow_title)).toContain("同席許可");
  });

  it("keep the consent's text as it is as long as its version is this one", () => {
    // Changed words are another text: raise CONSENT_VERSION in the protocol, then write the new sum here.
    const texts = [patientJa, patientEn].flatMap((words) => [words.consent_1, words.consent_2, words.consent_3]);
    const all = [...texts, nurseJa.consent_text, nurseEn.consent_text].join("\n");
    const sum = createHash("sha256").update(all).digest("hex").slice(0, 16);
    expect({ version: CONSENT_VERSION, sum }).toEqual({ version: 1, sum: "fabb7a3f16660a2d" });
  });

  it("put parameters where they belong and leave unknown ones visible", () => {
    expect(fill("{n}人、{m}", { n: 3 })).toBe("3人、{m}");
  });
});
