import { describe, expect, it } from "vitest";
import { room, view } from "./testing";
import { Views } from "./views";

const [a, b] = [room("a"), room("b")];

describe("a view", () => {
  it("is what was sent whole", () => {
    const views = new Views();
    expect(views.known("rooms")).toBe(false);
    expect(views.apply(view(1, [a, b]))).toBe("applied");
    expect([...views.rows("rooms").keys()]).toEqual(["a", "b"]);
    expect(views.known("rooms")).toBe(true);
  });

  it("follows changed and removed rows", () => {
    const views = new Views();
    views.apply(view(1, [a, b]));
    const busy = room("a", 7);
    const change = view(2, [busy], { whole: false, upsert: [busy], remove: ["b"] });
    expect(views.apply(change)).toBe("applied");
    expect(views.rows("rooms").get("a")?.waiting).toBe(7);
    expect(views.rows("rooms").has("b")).toBe(false);
  });

  it("asks again when a version is missing, and goes on showing what it has", () => {
    const views = new Views();
    views.apply(view(1, [a]));
    expect(views.apply(view(3, [a, b], { whole: false, upsert: [b] }))).toBe("resync");
    expect([...views.rows("rooms").keys()]).toEqual(["a"]);
  });

  it("asks again when the broker's run is another one", () => {
    const views = new Views();
    views.apply(view(1, [a]));
    const stranger = view(2, [a, b], { whole: false, upsert: [b], epoch: 2 });
    expect(views.apply(stranger)).toBe("resync");
  });

  it("asks again when the hash does not fit, and shows nothing that does not add up", () => {
    const views = new Views();
    views.apply(view(1, [a]));
    const wrong = view(2, [a, b], { whole: false, upsert: [b], hash: 1 });
    expect(views.apply(wrong)).toBe("resync");
    expect([...views.rows("rooms").keys()]).toEqual(["a"]);
    expect(views.apply(view(3, [a, b]))).toBe("applied");
  });

  it("does not ask for ever when even the whole view does not add up", () => {
    const views = new Views();
    expect(views.apply(view(1, [a], { hash: 1 }))).toBe("resync");
    expect(views.apply(view(2, [a], { hash: 1 }))).toBe("mismatch");
    expect([...views.rows("rooms").keys()]).toEqual(["a"]);
  });

  it("tells what it has for the next hello, and nothing after it was forgotten", () => {
    const views = new Views();
    const whole = view(4, [a]);
    views.apply(whole);
    expect(views.have()).toEqual([{ view: "rooms", epoch: 1, version: 4, hash: whole.hash }]);
    views.forget();
    expect(views.have()).toEqual([]);
    expect(views.rows("rooms").size).toBe(0);
  });
});
