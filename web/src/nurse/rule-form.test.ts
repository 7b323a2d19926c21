import { describe, expect, it } from "vitest";
import { EMPTY_RULE, KINDS, type RuleTexts, ruleOf, textsOfRule } from "./rule-form";

const HOUR = 3_600_000;
const typed = (part: Partial<RuleTexts>): RuleTexts => ({ ...EMPTY_RULE, ...part });

describe("a rule as it is typed", () => {
  it("is what was meant, in full width and with a comma", () => {
    expect(ruleOf(typed({ what: "pulse_rate", number: "１２０" }))).toEqual({
      state: "ready",
      rule: { type: "above", what: "pulse_rate", limit: "120" },
    });
    expect(ruleOf(typed({ kind: "changed", what: "weight", number: "1,5", hours: "72" }))).toEqual({
      state: "ready",
      rule: { type: "changed", what: "weight", by: "1.5", within: 72 * HOUR },
    });
  });

  it("says which field is no number, and only of fields that are asked for", () => {
    expect(ruleOf(typed({ number: "high" }))).toEqual({ state: "wrong", number: true, hours: false });
    expect(ruleOf(typed({ kind: "changed", number: "0", hours: "169" }))).toEqual({
      state: "wrong",
      number: true,
      hours: true,
    });
    expect(ruleOf(typed({ kind: "missing", number: "", hours: "24" })).state).toBe("ready");
    expect(ruleOf(typed({ kind: "above", number: "120", hours: "" })).state).toBe("ready");
  });

  it("reads back what it wrote", () => {
    for (const kind of KINDS) {
      const form = ruleOf(typed({ kind, what: "weight", number: "2.5", hours: "36" }));
      if (form.state !== "ready") throw new Error(kind);
      expect(ruleOf(textsOfRule(form.rule))).toEqual(form);
    }
  });
});
