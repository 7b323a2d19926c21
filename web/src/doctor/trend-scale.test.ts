// How far a chart's scale goes.

import { describe, expect, it } from "vitest";
import { type Line, LINES, type Sparse, type Trend } from "./trend";
import { beyondOf, PRESSURE, rangeOf, SATURATION, TEMPERATURE } from "./trend-scale";

describe("a chart's scale", () => {
  it("shows what people show, with a little room, and more where somebody has more", () => {
    expect(rangeOf(PRESSURE, null, null)).toEqual([40, 160]);
    expect(rangeOf(PRESSURE, 62, 128)).toEqual([40, 160]);
    expect(rangeOf(PRESSURE, 30, 214)).toEqual([20, 229]);
    expect(rangeOf(SATURATION, 79, 98)).toEqual([77, 101]);
    expect(rangeOf(TEMPERATURE, 36.5, 40.2)).toEqual([35, 40.7]);
  });

  it("is not stretched by a value that nobody else has, however real it is", () => {
    expect(rangeOf(PRESSURE, 60, 400)).toEqual([40, 260]);
    expect(rangeOf(SATURATION, 3, 98)).toEqual([50, 101]);
    expect(rangeOf(TEMPERATURE, 20, 50)).toEqual([30, 43]);
  });

  it("has what lies beyond at its edge", () => {
    const lines = Object.fromEntries(LINES.map((line) => [line, []])) as unknown as Record<Line, Sparse>;
    const trend: Trend = {
      x: [1, 2, 3],
      lines: { ...lines, respiration: [18, 400, null], diastolic: [undefined, undefined, -5] },
      late: [],
      faults: [],
      waiting: [],
    };
    expect(beyondOf(trend, ["respiration", "diastolic"], 0, 260)).toEqual([
      { x: 2, y: 400, line: "respiration", edge: "top" },
      { x: 3, y: -5, line: "diastolic", edge: "bottom" },
    ]);
  });
});
