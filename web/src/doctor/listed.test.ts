import { describe, expect, it } from "vitest";
import { reading } from "../wire/testing";
import { listedOf, ROWS_MAX } from "./listed";

const T0 = 1_790_000_040_000;
const finger = (seq: number, at: number, told: Parameters<typeof reading>[1] = {}) =>
  reading(seq, { at, kind: "oximeter", numbers: { spo2: "97" }, ...told });
const seqs = (rows: Parameters<typeof listedOf>[0]) => listedOf(rows).map(({ seq }) => seq);

describe("the table of readings", () => {
  it("keeps a pressure in sight however long an oximeter runs", () => {
    const hour = Array.from({ length: 3_600 }, (_, n) => finger(n + 2, T0 + n * 1_000));
    const listed = listedOf([reading(1, { at: T0, numbers: { systolic: "128" } }), ...hour]);
    expect(listed.at(-1)?.seq).toBe(1);
    expect(listed).toHaveLength(60 + 1);
  });

  it("lists every value of a running device that waits or that somebody did something about", () => {
    const withdrawn = { type: "withdrawn" as const, by: "山本", at: T0, reason: "x", replaced_by: null };
    const rows = [
      finger(1, T0 + 1_000, { quality: ["implausible"] }),
      finger(2, T0 + 2_000, { checked: withdrawn }),
      finger(3, T0 + 3_000),
      finger(4, T0 + 4_000),
    ];
    expect(seqs(rows)).toEqual([4, 2, 1]);
  });

  it("stands in the order of measuring, without what is held back or under way", () => {
    const rows = [
      reading(1, { at: T0 + 9_000, numbers: { systolic: "128" } }),
      reading(2, { at: T0, late: true, numbers: { systolic: "130" } }),
      reading(3, { at: T0, quarantined: true }),
      reading(4, { at: T0, characteristic: "intermediate_cuff_pressure" }),
    ];
    expect(seqs(rows)).toEqual([1, 2]);
  });

  it("is bounded", () => {
    const many = Array.from({ length: ROWS_MAX + 50 }, (_, n) => reading(n + 1, { at: T0 + n }));
    expect(listedOf(many)).toHaveLength(ROWS_MAX);
    expect(listedOf(many)[0]?.seq).toBe(ROWS_MAX + 50);
  });
});
