import { describe, expect, it } from "vitest";
import { reading } from "../wire/testing";
import type { ReadingRow, You } from "../wire/types";
import { marksOf, saidOf, typedBy, valuesOf } from "./marks";

const T0 = 1_790_000_000_000;
const me = { staff: "n-1", name: "山本 恵" } as You;

function typed(row: ReadingRow, entered: ReadingRow["outcome"]["provenance"]["entered"]): ReadingRow {
  row.outcome.provenance.entered = entered;
  return row;
}

describe("what people did about a reading", () => {
  const row = () => reading(1, { at: T0, numbers: { systolic: "128", diastolic: "76" } });

  it("says 手入力 and by whom", () => {
    expect(typedBy(row(), me)).toBeUndefined();
    expect(typedBy(typed(row(), { type: "patient" }), me)).toBe("手入力（患者さん）");
    expect(typedBy(typed(row(), { type: "staff", staff: "n-1" }), me)).toBe("手入力（山本 恵）");
    expect(typedBy(typed(row(), { type: "staff", staff: "n-2" }), me)).toBe("手入力（看護師）");
  });

  it("says who gave it to this patient, and why", () => {
    const given = { ...row(), assigned: { by: "山本", at: T0, reason: "付け忘れ" } };
    expect(marksOf(given, [], me).join("、")).toMatch(/^山本 が .+ にこの方の値と決めました、付け忘れ$/);
  });

  it("says who withdrew it, why, and what stands in its place", () => {
    const other = reading(2, { at: T0, numbers: { systolic: "118", diastolic: "70" } });
    const checked = { type: "withdrawn" as const, by: "山本", at: T0, reason: "測り方の間違い", replaced_by: "2" };
    const words = marksOf({ ...row(), checked }, [other], me).join("、");
    expect(words).toMatch(/山本 が .+ に取り消しました（測り方の間違い）、代わりの値 118\/70 mmHg$/);
  });

  it("no longer asks to check what somebody has checked", () => {
    const wild = reading(1, { quality: ["implausible", "irregular_pulse"] });
    expect(saidOf(wild)).toHaveLength(2);
    const checked = { type: "confirmed" as const, by: "山本", at: T0 };
    expect(saidOf({ ...wild, checked })).toEqual(["脈が不規則です"]);
  });

  it("tells a row's vital signs with their units", () => {
    expect(valuesOf(reading(1, { numbers: { systolic: "128", diastolic: "76", pulse_rate: "71" } }))).toBe(
      "128/76 mmHg　71 /min",
    );
    expect(valuesOf(reading(1, { fault: true }))).toBe("");
  });
});
