import { expect, test } from "vitest";
import { flaws } from "./readings.mjs";

const frame = (sequence, id = `frame ${sequence}`) => ({ outcome: { id, device: { id: "cuff" }, provenance: { sequence } } });

test("rows that are each there once and in order have no flaw", () => {
  expect(flaws([4, 5, 6].map((sequence) => frame(sequence)), ["cuff"])).toEqual({ twice: 0, astray: 0, silent: [] });
});

test("a row that is there twice, one that is missing, one that came too early and a silent device are found", () => {
  expect(flaws([frame(4), frame(5), frame(5)], ["cuff"]).twice).toBe(1);
  expect(flaws([frame(4), frame(6)], ["cuff"]).astray).toBe(1);
  expect(flaws([frame(4), frame(6), frame(5), frame(7)], ["cuff"]).astray).toBe(3);
  expect(flaws([frame(4)], ["cuff", "oximeter"]).silent).toEqual(["oximeter"]);
});
