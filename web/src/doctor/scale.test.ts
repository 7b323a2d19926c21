import { describe, expect, it } from "vitest";
import { ECG_MM_PER_SECOND, ecgRise, PX_PER_MM, spanOf, windowOf } from "./scale";
import { WINDOW_MS } from "./trace";

describe("an ECG on the screen", () => {
  it("rises 10 mm a millivolt at a gain of 1, and twice that at 2", () => {
    expect(ecgRise(128 + 100, 10, 1) / PX_PER_MM).toBeCloseTo(10);
    expect(ecgRise(128 + 100, 10, 2) / PX_PER_MM).toBeCloseTo(20);
    expect(ecgRise(128 - 50, 10, 1) / PX_PER_MM).toBeCloseTo(-5);
    expect(ecgRise(128, 10, 4)).toBe(0);
  });

  it("runs at 12.5 mm a second however wide its place is", () => {
    for (const width of [200, 248, 320, 900]) {
      const mm = spanOf("ecg", width) / PX_PER_MM;
      expect(mm / (windowOf("ecg", width) / 1_000)).toBeCloseTo(ECG_MM_PER_SECOND);
    }
  });
});

describe("a pulse wave on the screen", () => {
  it("takes the whole width and whole seconds, within what is kept", () => {
    expect(spanOf("pleth", 248)).toBe(248);
    expect(windowOf("pleth", 248)).toBe(5_000);
    expect(windowOf("pleth", 100)).toBe(4_000);
    expect(windowOf("pleth", 2_000)).toBe(WINDOW_MS);
  });
});
