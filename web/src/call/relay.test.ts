import { afterEach, describe, expect, it, vi } from "vitest";
import { leave } from "./relay";

const SESSION = { url: "http://relay/relay/sessions/s", secret: "x" };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** What became of a promise, without waiting for it. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

describe("a goodbye to the relay", () => {
  it("is over when the relay has answered, and not before", async () => {
    vi.useFakeTimers();
    let answer: (value: unknown) => void = () => undefined;
    const asked = vi.fn(() => new Promise((resolve) => {
      answer = resolve;
    }));
    vi.stubGlobal("fetch", asked);
    const said = leave(SESSION);
    expect(await isOver(said)).toBe(false);
    answer({ ok: true });
    expect(await isOver(said)).toBe(true);
    expect(asked).toHaveBeenCalledWith(SESSION.url, expect.objectContaining({ method: "DELETE", keepalive: true }));
  });

  it("is given up when nobody answers: a connection is not held open for it", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    const said = leave(SESSION);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await isOver(said)).toBe(true);
  });

  it("fails without a word when there is no network", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    expect(await isOver(leave(SESSION))).toBe(true);
  });
});
