import { describe, expect, it } from "vitest";
import { isConsentOwed, isOwed, isSettled, lacking } from "./identity";

type Asked = Parameters<typeof isConsentOwed>[0];

const visit = (parts: Partial<Asked> = {}): Asked => ({
  consent: null,
  emergency: null,
  quarantined: false,
  identity: { doctor: null, other_side: null, deferred: null },
  ...parts,
});

const emergency: NonNullable<Asked["emergency"]> = { since: 5, location: "", call_back: "", hospital: "" };

describe("what stands between a doctor and a patient's data", () => {
  it("is that both sides say who is who, or a reason to do so later", () => {
    const both = { doctor: ["card_shown", 1], other_side: ["card_shown", 1], deferred: null };
    expect(isSettled(visit())).toBe(false);
    expect(isSettled(visit({ identity: { ...both, other_side: null } as Asked["identity"] }))).toBe(false);
    expect(isSettled(visit({ identity: both as Asked["identity"] }))).toBe(true);
    expect(isSettled(visit({ identity: { doctor: null, other_side: null, deferred: "急ぎ" } }))).toBe(true);
  });

  it("names the side whose word is lacking", () => {
    const of = (doctor: boolean, other: boolean) => {
      const said = (yes: boolean) => (yes ? ["card_shown", 1] : null);
      const identity = { doctor: said(doctor), other_side: said(other), deferred: null };
      return lacking(visit({ identity: identity as Asked["identity"] }));
    };
    expect([of(false, false), of(true, false), of(false, true), of(true, true)]).toEqual([
      "both",
      "other_side",
      "doctor",
      undefined,
    ]);
  });

  it("lets a doctor who knows who it is help in 急変, and reminds of the patient's side later", () => {
    const identity = { doctor: ["card_shown", 1], other_side: null, deferred: null } as Asked["identity"];
    expect([isSettled(visit({ identity, emergency })), isOwed(visit({ identity, emergency }))]).toEqual([true, true]);
    const unknown = visit({ emergency });
    expect([isSettled(unknown), isOwed(unknown)]).toEqual([false, false]);
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
    expect(isConsentOwed(visit({ emergency }))).toBe(false);
  });

  it("asks nothing more of a visit that was somebody else's", () => {
    expect(isConsentOwed(visit({ quarantined: true }))).toBe(false);
  });
});
