// What devices at the tablet say, on its way to the broker.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HandedFrame } from "../wire/types";
import { Hanging, shortOf, Tablet } from "./bluetooth";
import { BATCH_EVERY_MS, BATCH_FRAMES_MAX, FRAMES_MAX, hexOf, REFUSED_AGAIN_MS } from "./frames";
import { long, bytes, FakeCharacteristic, FakeGadget, DONE, broker, refused } from "./bluetooth-fakes";

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_790_000_000_000);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("frames on their way", () => {
  async function connected() {
    const oximeter = new FakeCharacteristic("2A5F");
    const told = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", told.world);
    await hanging.attach();
    await hanging.connect();
    return { oximeter, hanging, ...told };
  }
  const sent = (acts: readonly { frames: readonly HandedFrame[] }[]) => acts.map(({ frames }) => frames.length);

  it("leave in batches of a bounded size, one at a time and not oftener than twice a second", async () => {
    const { oximeter, acts } = await connected();
    for (let n = 0; n < 100; n += 1) oximeter.say(bytes(n));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([BATCH_FRAMES_MAX]);
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([BATCH_FRAMES_MAX, 100 - BATCH_FRAMES_MAX]);
  });

  it("are kept until they are answered, and go again after a refusal that passes", async () => {
    const { oximeter, hanging, acts, answerWith } = await connected();
    answerWith(() => refused("busy"));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(hanging.frames.waiting.value).toBe(1);
    answerWith(() => ({ type: "done", outcome: { type: "done" } }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(hanging.frames.waiting.value).toBe(0);
    expect(acts[1]?.frames).toEqual(acts[0]?.frames);
  });

  it("wait while an answer is on its way, however long the link is gone", async () => {
    const { oximeter, hanging, acts, settle, answerWith } = await connected();
    answerWith(undefined);
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    oximeter.say(bytes(2));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent(acts)).toEqual([1]);
    expect(hanging.frames.waiting.value).toBe(2);
    settle[0]?.({ type: "done", outcome: { type: "done" } });
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts[1]?.frames.map((frame) => frame.bytes)).toEqual(["02"]);
  });

  it("of which one cannot be read go one by one, and only that one is given up", async () => {
    const { oximeter, hanging, acts, answerWith } = await connected();
    answerWith((frames) =>
      frames.some((frame) => frame.bytes === "02")
        ? refused("frame_refused")
        : { type: "done", outcome: { type: "done" } },
    );
    for (const n of [1, 2, 3]) oximeter.say(bytes(n));
    await vi.advanceTimersByTimeAsync(5 * BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([3, 1, 1, 1]);
    expect(hanging.frames.unread.value).toBe(1);
    expect(hanging.frames.waiting.value).toBe(0);
  });

  it("are bounded: nothing kept is given up, the device is let go", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(undefined);
    for (let n = 0; n <= FRAMES_MAX; n += 1) oximeter.say(bytes(1));
    expect(hanging.state.value).toBe("full");
    expect(hanging.frames.waiting.value).toBe(FRAMES_MAX);
  });

  it("that are refused are kept, with the reason, and go again", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(() => refused("ticket_over"));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    oximeter.say(bytes(2));
    expect(hanging.frames.refused.value).toBe("ticket_over");
    expect(hanging.frames.waiting.value).toBe(2);
    answerWith(() => DONE);
    await vi.advanceTimersByTimeAsync(REFUSED_AGAIN_MS);
    expect(hanging.frames.waiting.value).toBe(0);
    expect(hanging.frames.refused.value).toBeUndefined();
  });

  it("of a device that is not on this patient any more are kept by the broker, and it is let go", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(() => ({ type: "done", outcome: { type: "came_off" } }));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(hanging.state.value).toBe("came_off");
    expect(hanging.frames.waiting.value).toBe(0);
  });

  it("wait until the nurse has said whether the device comes off somebody else", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", world);
    said.push(refused("device_elsewhere"));
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect([hanging.elsewhere.value, acts.length]).toEqual([true, 0]);
    await hanging.attach(true);
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts.map(({ frames }) => frames.length)).toEqual([1]);
    expect(words.map((act) => act.type === "attach_here" && act.takes_over)).toEqual([false, true]);
  });

  it("are handed in as nobody's when it stays there", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", world);
    said.push(refused("device_elsewhere"));
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    // The broker has to know first: a frame of a run that it does not know puts the device on.
    said.push(refused("busy"));
    hanging.decline();
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect([hanging.state.value, acts.length]).toEqual(["came_off", 0]);
    await vi.advanceTimersByTimeAsync(3_000);
    const [, ...off] = words;
    const same = expect.objectContaining({ type: "detach_here", run: "1".padStart(16, "0") });
    expect([off, acts.length]).toEqual([[same, same], 1]);
  });

  it("are handed in as nobody's when the visit ends under the question", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const requestDevice = async () => new FakeGadget([oximeter]);
    const tablet = new Tablet({ requestDevice }, world);
    said.push(refused("device_elsewhere"));
    await tablet.choose("t-1");
    await vi.advanceTimersByTimeAsync(0);
    oximeter.say(bytes(1));
    tablet.leave("t-1");
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(words.map(({ type }) => type)).toEqual(["attach_here", "detach_here"]);
    expect([acts.length, tablet.hanging.value.length]).toEqual([1, 0]);
  });

  it("are written as two hex digits a byte, of the part that is meant", () => {
    expect(hexOf(new DataView(new Uint8Array([1, 2, 0xab, 4]).buffer, 1, 2))).toBe("02ab");
    expect(shortOf(long("2a35"))).toBe("2A35");
    expect(shortOf("0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b")).toBeUndefined();
  });
});
