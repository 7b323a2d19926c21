import { describe, expect, it } from "vitest";
import { isConsentOwed, isSettled } from "./identity";

type Asked = Parameters<typeof isConsentOwed>[0];

const visit = (parts: Partial<Asked> = {}): Asked => ({
  consent: null,
  emergency: null,
  quarantined: false,
  identity: { doctor: null, other_side: null, deferred: null },
  ...parts,
});

describe("what stands between a doctor and a patient's data", () => {
  it("is that both sides say who is who, or a reason to do so later", () => {
    const both = { doctor: ["card_shown", 1], other_side: ["card_shown", 1], deferred: null };
    expect(isSettled(visit())).toBe(false);
    expect(isSettled({ identity: { ...both, other_side: null } as Asked["identity"] })).toBe(false);
    expect(isSettled({ identity: both as Asked["identity"] })).toBe(true);
    expect(isSettled(visit({ identity: { doctor: null, other_side: null, deferred: "急ぎ" } }))).toBe(true);
  });

  it("asks for consent until it is given", () => {
    expect(isConsentOwed(visit())).toBe(true);
    expect(isConsentOwed(visit({ consent: [1, 5] }))).toBe(false);
  });

  it("does not hold up a doctor who wrote down why it cannot be asked", () => {
    const identity = { doctor: null, other_side: null, deferred: "話せない" };
    expect(isConsentOwed(visit({ identity }))).toBe(false);
  });

  it("does not hold up help in 急変", () => {
    const emergency = { since: 5, location: "", call_back: "", hospital: "" } as NonNullable<Asked["emergency"]>;
    expect(isConsentOwed(visit({ emergency }))).toBe(false);
  });

  it("asks nothing more of a visit that was somebody else's", () => {
    expect(isConsentOwed(visit({ quarantined: true }))).toBe(false);
  });
});
