import { describe, expect, it } from "vitest";
import { boats, waitWords, whyWords } from "./wait";

describe("what a patient reads about the wait", () => {
  it("is a range", () => {
    expect(waitWords({ type: "range", from_min: 12, to_min: 20 })).toBe("およそ 12〜20分");
  });

  it("is one number when both ends are the same", () => {
    expect(waitWords({ type: "range", from_min: 5, to_min: 5 })).toBe("およそ 5分");
  });

  it("is honest when nobody can tell", () => {
    expect(waitWords({ type: "cannot_tell" })).toBe("待ち時間は、まだわかりません");
  });

  it("is soon for the last minute", () => {
    expect(waitWords({ type: "range", from_min: 0, to_min: 1 })).toBe("まもなく");
  });

  it("explains a place that rose, and says nothing about coming in", () => {
    expect(whyWords({ why: "doctor_gone", state: "waiting" })).toContain("先生の画面が切れました");
    expect(whyWords({ why: "arrived", state: "waiting" })).toBeUndefined();
  });

  it("announces the telephone to who did not answer", () => {
    expect(whyWords({ why: "missed", state: "unanswered" })).toContain("お電話します");
  });

  it("draws a few boats, however many are ahead", () => {
    expect([boats(0), boats(3), boats(40)]).toEqual([0, 3, 6]);
  });
});
