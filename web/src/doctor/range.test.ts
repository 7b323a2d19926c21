import { describe, expect, it } from "vitest";
import { rangeWith, windowOf } from "./range";

const MINUTE = 60_000;
const NOW = 1_790_000_000_000;

describe("the time that the trend shows", () => {
  it("is the narrowest in which a moment is seen", () => {
    expect(rangeWith(NOW - 4 * MINUTE, NOW)).toBe("10");
    expect(rangeWith(NOW - 12 * MINUTE, NOW)).toBe("60");
    expect(rangeWith(NOW - 200 * MINUTE, NOW)).toBe("all");
  });

  it("has the moment within it, not on its very edge", () => {
    for (const minutes of [1, 9.9, 10, 59.9, 60, 300]) {
      const at = NOW - minutes * MINUTE;
      const [from] = windowOf(rangeWith(at, NOW), at, NOW);
      expect(from, `${minutes} minutes ago`).toBeLessThanOrEqual(at);
    }
  });

  it("begins with the first reading when all is shown, and is never shorter than five minutes", () => {
    expect(windowOf("all", NOW - 90 * MINUTE, NOW)).toEqual([NOW - 90 * MINUTE, NOW]);
    expect(windowOf("all", NOW - MINUTE, NOW)).toEqual([NOW - 5 * MINUTE, NOW]);
    expect(windowOf("all", undefined, NOW)).toEqual([NOW - 5 * MINUTE, NOW]);
  });
});
