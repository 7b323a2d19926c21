import { expect, test } from "vitest";
import { quantile } from "./recovery.mjs";

test("a quantile is one of the values: the middle, the worst twentieth, the last", () => {
  const values = [9, 1, 5];
  expect([0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([5, 9, 9]);
  expect(values).toEqual([9, 1, 5]);
});
