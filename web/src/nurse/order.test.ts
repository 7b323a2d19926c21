import { describe, expect, it } from "vitest";
import type { TicketRow } from "../wire/types";
import { byNeed } from "./order";
import { EMPTY, missing, tidy } from "./person";

const row = (code: string, parts: Partial<TicketRow>) =>
  ({ code, state: "waiting", rank: [1, 0, 0], emergency: null, ...parts }) as TicketRow;

describe("the nurse's list", () => {
  it("puts 急変 before a call, a call before a visit, and what is over last", () => {
    const rows = [
      row("ended", { state: "ended" }),
      row("visit", { state: "in_visit" }),
      row("waits", {}),
      row("call", { state: "called" }),
      row("sudden", { emergency: 5 }),
    ];
    const order = rows.sort(byNeed).map(({ code }) => code);
    expect(order).toEqual(["sudden", "call", "visit", "waits", "ended"]);
  });

  it("does not hold up who has ended, whatever happened before", () => {
    const rows = [row("was-sudden", { state: "ended", emergency: 5 }), row("waits", {}), row("ended", { state: "ended" })];
    expect(rows.sort(byNeed)[0]?.code).toBe("waits");
  });

  it("keeps the room's order among those who wait", () => {
    const rows = [row("b", { rank: [1, 20, 0] }), row("c", { rank: [2, 0, 0] }), row("a", { rank: [1, 10, 0] })];
    expect(rows.sort(byNeed).map(({ code }) => code)).toEqual(["a", "b", "c"]);
  });
});

describe("受付", () => {
  it("asks for what an ambulance would need", () => {
    expect([...missing(EMPTY)]).toEqual(["name", "birth_date", "call_back", "location"]);
  });

  it("is content without kana", () => {
    const person = { ...EMPTY, name: "佐藤 ハナ", birth_date: "1944-12-01", call_back: "1", location: "港" };
    expect(missing(person).size).toBe(0);
  });

  it("reads a birth date as it stands on a card", () => {
    const person = { ...EMPTY, birth_date: "昭和19年12月1日" };
    expect(missing(person).has("birth_date")).toBe(false);
    expect(tidy(person).birth_date).toBe("1944-12-01");
  });
});
