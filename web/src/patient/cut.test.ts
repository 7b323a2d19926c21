import { describe, expect, it } from "vitest";
import { patient } from "../words/patient";
import { cutWords } from "./cut";

const said = (key: ReturnType<typeof cutWords>["gone"]) => (key ? patient(key) : "");

describe("what a patient reads while the link is gone", () => {
  it("is that the place is kept, while waiting and while interrupted", () => {
    for (const state of ["waiting", "called", "unanswered", "parked"] as const) {
      expect(said(cutWords(state).gone), state).toContain("順番はそのままです");
      expect(said(cutWords(state).back), state).toContain("順番はそのままです");
    }
  });

  it("never speaks of the queue in a visit, and says what to do", () => {
    const words = said(cutWords("in_visit").gone);
    expect(words).not.toContain("順番");
    expect(words).toContain("先生");
    expect(words).toContain("お待ちください");
    expect(said(cutWords("in_visit").title)).not.toContain("電波");
    expect(cutWords("in_visit").back).toBeUndefined();
  });

  it("promises nothing before the place is known and after it is over", () => {
    for (const state of [undefined, "ended", "left"] as const) {
      expect(cutWords(state)).toEqual({ title: undefined, gone: undefined, back: undefined });
    }
  });
});
