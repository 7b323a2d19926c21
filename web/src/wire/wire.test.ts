import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNSENT_LIFE_MS } from "./acts";
import { BACKOFF_MS, backoffMs, CUT_AFTER_MS, OPEN_WITHIN_MS } from "./link";
import { harness, reading, room, view } from "./testing";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const READY = { type: "set_ready", ticket: "t", ready: true } as const;

describe("a verb", () => {
  it("is sent once and settled by its answer", async () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const answer = wire.act(READY);
    expect(last().sentOf("do")).toEqual([{ type: "do", key: "key-1", act: READY }]);
    last().say({ type: "done", key: "key-1", outcome: { type: "done" } });
    expect(await answer).toEqual({ type: "done", outcome: { type: "done" } });
    expect(wire.acts.pending.value).toEqual([]);
    wire.stop();
  });

  it("goes out again with the same key after a torn link, until it is answered", async () => {
    const { wire, sockets, last } = harness();
    wire.start();
    last().welcome(0);
    const answer = wire.act(READY);
    last().tear();
    await vi.advanceTimersByTimeAsync(BACKOFF_MS.most);
    expect(sockets.length).toBeGreaterThan(1);
    last().welcome(0);
    expect(last().sentOf("do")).toEqual([{ type: "do", key: "key-1", act: READY }]);
    last().say({ type: "refused", key: "key-1", code: "not_waiting", by: null });
    expect(await answer).toEqual({ type: "refused", code: "not_waiting", by: null });
    wire.stop();
  });

  it("that never left the screen is given up, so that no old press acts later", async () => {
    const { wire, last } = harness();
    wire.start();
    const answer = wire.act(READY);
    await vi.advanceTimersByTimeAsync(UNSENT_LIFE_MS + 2_000);
    expect(await answer).toEqual({ type: "not_sent" });
    last().welcome(0);
    expect(last().sentOf("do")).toEqual([]);
    wire.stop();
  });

  it("that may wait is kept however long the link is gone", async () => {
    const { wire, last } = harness();
    wire.start();
    const answer = wire.act({ type: "raise_emergency", ticket: "t" }, { mayWait: true });
    expect(wire.acts.pending.value.map(({ sent }) => sent)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    while (last().readyState !== 0) await vi.advanceTimersByTimeAsync(100);
    last().welcome(0);
    expect(last().sentOf("do").map(({ act }) => act.type)).toEqual(["raise_emergency"]);
    last().say({ type: "done", key: "key-1", outcome: { type: "done" } });
    expect((await answer).type).toBe("done");
    wire.stop();
  });

  it("tells who was faster", async () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const answer = wire.act({ type: "call_next", room: "r" });
    last().say({ type: "refused", key: "key-1", code: "already_taken", by: "阿部 誠" });
    expect(await answer).toEqual({ type: "refused", code: "already_taken", by: "阿部 誠" });
    wire.stop();
  });
});

describe("the link", () => {
  it("says hello with what it still has", async () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const whole = view(3, [room("a")]);
    last().say(whole);
    last().tear();
    await vi.advanceTimersByTimeAsync(BACKOFF_MS.most);
    last().welcome(0);
    const have = [{ view: "rooms", epoch: 1, version: 3, hash: whole.hash }];
    expect(last().sentOf("hello")).toEqual([{ type: "hello", version: 1, have }]);
    wire.stop();
  });

  it("asks for a view again when it does not fit", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    last().say(view(1, [room("a")], { hash: 1 }));
    expect(last().sentOf("resync")).toEqual([{ type: "resync", view: "rooms" }]);
    wire.stop();
  });

  it("answers pings and takes three silent heartbeats for a cut", async () => {
    const { wire, last, sockets } = harness();
    wire.start();
    last().welcome(0);
    last().say({ type: "ping", now: 0 });
    expect(last().sentOf("pong").length).toBe(1);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(wire.link.value.state).toBe("connected");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(sockets.length).toBeGreaterThan(1);
    expect(wire.link.value.state).not.toBe("connected");
    wire.stop();
  });

  it("says since when it is cut off, and that it is back", async () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const heard = Date.now();
    await vi.advanceTimersByTimeAsync(1_000);
    last().tear();
    expect(wire.link.value).toEqual({ state: "reconnecting", since: heard });
    await vi.advanceTimersByTimeAsync(CUT_AFTER_MS + 1_000);
    expect(wire.link.value).toEqual({ state: "cut_off", since: heard });
    last().welcome(0);
    expect(wire.link.value).toEqual({ state: "connected" });
    wire.stop();
  });

  it("ends with the broker's goodbye and answers what was still open", async () => {
    const { wire, last, sockets } = harness();
    wire.start();
    last().welcome(0);
    const answer = wire.act(READY);
    last().say({ type: "bye", code: "link_revoked" });
    expect(wire.link.value).toEqual({ state: "bye", code: "link_revoked" });
    expect(await answer).toEqual({ type: "refused", code: "link_revoked", by: null });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.length).toBe(1);
  });

  it("comes back after a goodbye that only means slow", async () => {
    const { wire, last, sockets } = harness();
    wire.start();
    last().welcome(0);
    last().say({ type: "bye", code: "slow_reader" });
    await vi.advanceTimersByTimeAsync(BACKOFF_MS.most);
    expect(sockets.length).toBeGreaterThan(1);
    wire.stop();
  });

  it("notices that the session is over when nobody opens the door", async () => {
    const { wire, last } = harness(async () => false);
    wire.start();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      last().tear();
      await vi.advanceTimersByTimeAsync(BACKOFF_MS.most);
    }
    expect(wire.link.value).toEqual({ state: "bye", code: "sign_in_first" });
  });

  it("waits longer from attempt to attempt, but never beyond five seconds", () => {
    expect(backoffMs(0, 1)).toBe(300);
    expect(backoffMs(1, 1)).toBe(600);
    expect(backoffMs(50, 1)).toBe(5_000);
    expect(backoffMs(50, 0)).toBe(2_500);
  });

  it("asks for a new one soon after an attempt that only waited, because TCP asks ever more seldom", async () => {
    expect(backoffMs(50, 1, 4_900)).toBe(BACKOFF_MS.first);
    const { wire, sockets } = harness();
    wire.start();
    await vi.advanceTimersByTimeAsync(5 * (OPEN_WITHIN_MS + 2_000));
    expect(sockets.length).toBeGreaterThanOrEqual(5);
    wire.stop();
  });

  it("has to prove itself sooner while a call is silent, and is at once back when one is heard", async () => {
    const { wire, last, sockets } = harness();
    wire.start();
    last().welcome(0);
    await vi.advanceTimersByTimeAsync(5_500);
    wire.doubt();
    expect(wire.link.value.state).toBe("connected");
    await vi.advanceTimersByTimeAsync(1_500);
    wire.doubt();
    expect(wire.link.value.state).toBe("cut_off");
    await vi.advanceTimersByTimeAsync(1_000);
    const waiting = last();
    wire.wake();
    expect(last()).not.toBe(waiting);
    last().welcome(0);
    const open = sockets.length;
    wire.wake();
    expect(sockets.length).toBe(open);
    expect(wire.link.value.state).toBe("connected");
    wire.stop();
  });

  it("knows the broker's time whatever the tablet's clock says", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(5_000_000);
    expect(wire.clock.read()).toBe(5_000_000);
    last().say({ type: "ping", now: 4_999_000 });
    expect(wire.clock.read()).toBe(5_000_000);
    wire.stop();
  });
});

describe("a tablet that turns round", () => {
  it("forgets what it knew of others", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    last().say(view(1, [room("a")]));
    last().welcome(0, { patient_view: true });
    expect(wire.views.rows("rooms").size).toBe(0);
    last().say({ type: "unchanged", view: "rooms" });
    expect(last().sentOf("resync")).toEqual([{ type: "resync", view: "rooms" }]);
    wire.stop();
  });
});

describe("readings and chat", () => {
  it("go on from their cursor after a torn link, once each", async () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    wire.watchReadings("s");
    wire.watchChat("v");
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(1), reading(2)] });
    last().tear();
    await vi.advanceTimersByTimeAsync(BACKOFF_MS.most);
    last().welcome(0);
    expect(last().sentOf("do").map(({ act }) => act)).toContainEqual({
      type: "watch_readings",
      subject: "s",
      after: 2,
    });
    expect(last().sentOf("watch_chat")).toEqual([{ type: "watch_chat", visit: "v", after: 0 }]);
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(2), reading(3)] });
    expect(wire.readings.rows("s").map(({ seq }) => seq)).toEqual([1, 2, 3]);
    wire.stop();
  });

  it("are forgotten when some of them are held back", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    wire.watchReadings("s");
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(1), reading(2)] });
    last().say({ type: "readings", subject: "s", whole: true, rows: [reading(1)] });
    expect(wire.readings.rows("s").map(({ seq }) => seq)).toEqual([1]);
    last().say({ type: "readings", subject: "s", whole: true, rows: [] });
    expect(wire.readings.rows("s")).toEqual([]);
    wire.stop();
  });

  it("of somebody who is not watched any more are forgotten", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const unwatch = wire.watchReadings("s");
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(1)] });
    unwatch();
    expect(wire.readings.rows("s")).toEqual([]);
    wire.stop();
  });

  it("that were on their way when nobody watched any more do not hide what came before them", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    const unwatch = wire.watchReadings("s");
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(1), reading(2)] });
    unwatch();
    last().say({ type: "readings", subject: "s", whole: false, rows: [reading(3)] });
    expect(wire.readings.rows("s")).toEqual([]);
    wire.watchReadings("s");
    expect(last().sentOf("do").at(-1)?.act).toEqual({ type: "watch_readings", subject: "s", after: 0 });
    last().say({ type: "readings", subject: "s", whole: true, rows: [reading(1), reading(2), reading(3)] });
    expect(wire.readings.rows("s").map(({ seq }) => seq)).toEqual([1, 2, 3]);
    wire.stop();
  });

  it("flow for the one that was asked for last, and for the one before when that ends", () => {
    const { wire, last } = harness();
    wire.start();
    last().welcome(0);
    wire.watchReadings("first");
    const unwatch = wire.watchReadings("second");
    unwatch();
    const asked = last().sentOf("do").map(({ act }) => "subject" in act && act.subject);
    expect(asked).toEqual(["first", "second", "first"]);
    wire.stop();
  });
});
