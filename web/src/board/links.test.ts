// Links as they leave the board.

import { describe, expect, it } from "vitest";
import type { IssuedLink } from "../wire/types";
import { parseCsv } from "./csv";
import { addressOf, spokenText } from "../ui/join-link";
import { BATCH_BYTES_MAX, batchesOf, linksCsv } from "./links";

const LINK: IssuedLink = {
  ticket: "t1",
  code: "K-27",
  secret: "abcDEF123",
  spoken: "12345678",
  expires: 1_790_000_000_000,
};

describe("issued links", () => {
  it("carry nothing about a person and keep the secret behind the #", () => {
    const url = new URL(addressOf(LINK, "https://minato.example"));
    expect(url.pathname).toBe("/p");
    expect(url.search).toBe("");
    expect(url.hash).toBe("#abcDEF123");
  });

  it("are written as a list for the SMS", () => {
    const rows = parseCsv(
      linksCsv([LINK], new Map(), "https://m.example", ["code", "a", "b", "url", "s", "e"]),
    );
    expect(rows[1]).toEqual([
      "K-27",
      "",
      "",
      "https://m.example/p#abcDEF123",
      "12345678",
      "2026-09-21T14:13:20.000Z",
    ]);
  });

  it("have a code that is said in two halves", () => {
    expect(spokenText("12345678")).toBe("1234 5678");
  });

  it("are asked for in messages that the broker takes, nobody left out", () => {
    const person = {
      name: "長".repeat(80),
      kana: "な".repeat(80),
      birth_date: "1944-12-01",
      call_back: "0599-00-0000",
      location: "島".repeat(120),
    };
    const people = Array.from({ length: 200 }, () => ({
      person,
      triage: "standard" as const,
      first_visit: false,
    }));
    const batches = batchesOf(people);
    expect(batches.flat()).toHaveLength(200);
    for (const batch of batches) {
      expect(new TextEncoder().encode(JSON.stringify(batch)).length).toBeLessThan(
        BATCH_BYTES_MAX + 2,
      );
    }
  });
});
