import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const TOKENS = Object.fromEntries(
  [...read("./tokens.css").matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((found) => [found[1], found[2]]),
) as Record<string, string>;

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = channels(colour).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function isRed(colour: string): boolean {
  const [r = 0, g = 0, b = 0] = channels(colour);
  return r > 0.45 && r > g * 1.8 && r > b * 1.5;
}

const TEXT_ON_GROUND: [string, string][] = [
  ["ink", "paper"],
  ["ink", "card"],
  ["ink-soft", "paper"],
  ["ink-soft", "card"],
  ["ink-soft", "sea-pale"],
  ["sea", "card"],
  ["sea", "paper"],
  ["sea", "sea-pale"],
  ["sea-deep", "lamp"],
  ["sea-deep", "sea-pale"],
  ["lamp-deep", "lamp-pale"],
  ["lamp-deep", "card"],
  ["moss", "moss-pale"],
  ["stale", "stale-pale"],
];

describe("the colours", () => {
  it.each(TEXT_ON_GROUND)("can be read: %s on %s", (text, ground) => {
    expect(contrast(TOKENS[text] ?? "", TOKENS[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it("have no red wherever a patient looks", () => {
    const sheets = ["./tokens.css", "./base.css", "./chat.css", "./typed.css", "../call/room.css", "../patient/patient.css", "../patient/visit.css"];
    for (const sheet of sheets) {
      const text = read(sheet).replace(/#([0-9a-f])([0-9a-f])([0-9a-f])\b(?![0-9a-f])/gi, "#$1$1$2$2$3$3");
      for (const [colour] of text.matchAll(/#[0-9a-f]{6}/gi)) expect(isRed(colour), `${sheet} ${colour}`).toBe(false);
    }
    expect(isRed("#a3221b")).toBe(true);
  });
});
