// The pressure in the cuff, which is no blood pressure.

import { describe, expect, it } from "vitest";
import { reading } from "../wire/testing";
import { cuffFillingAt } from "./now";

const T0 = 1_790_000_000_000;
const ended = (seq: number, at: number) => reading(seq, { at, numbers: { systolic: "128" } });
const filling = reading(2, {
  at: T0 + 1_000,
  characteristic: "intermediate_cuff_pressure",
  numbers: { cuff_pressure: "140" },
});

describe("the pressure in the cuff", () => {
  it("is shown only while it fills", () => {
    const rows = [ended(1, T0), filling];
    expect(cuffFillingAt(rows, T0 + 2_000)?.text).toBe("140");
    expect(cuffFillingAt(rows, T0 + 9_000)).toBeUndefined();
  });

  it("is gone once the measurement has ended", () => {
    expect(cuffFillingAt([filling, ended(3, T0 + 2_000)], T0 + 2_000)).toBeUndefined();
  });

  it("is not shown of a late or held back picture", () => {
    expect(cuffFillingAt([{ ...filling, late: true }], T0 + 2_000)).toBeUndefined();
    expect(cuffFillingAt([{ ...filling, quarantined: true }], T0 + 2_000)).toBeUndefined();
  });
});
