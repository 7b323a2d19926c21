import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SlotMap } from "../wire/types";
import type { Lines } from "./offer";
import { Seating, SETTLES_MS } from "./seating";
import { piecesOf } from "./stills";

const map = (version: number, step?: "small" | "audio_only"): SlotMap => ({
  version,
  slots: [],
  auscultation: null,
  ...(step && { reduced: { step, because: "bandwidth" as const } }),
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a picture that is a little smaller is told once it has lasted", () => {
  const seating = new Seating();
  seating.take(map(1, "small"));
  vi.advanceTimersByTime(SETTLES_MS - 1);
  seating.take(map(2, "small"));
  expect(seating.reduced.value).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(seating.reduced.value?.step).toBe("small");
});

test("a call that has found its way up says nothing of it", () => {
  const seating = new Seating();
  seating.take(map(1, "small"));
  seating.take(map(2));
  vi.advanceTimersByTime(SETTLES_MS * 2);
  expect(seating.reduced.value).toBeUndefined();
});

test("a picture that is gone is told at once", () => {
  const seating = new Seating();
  seating.take(map(1, "small"));
  seating.take(map(2, "audio_only"));
  expect(seating.reduced.value?.step).toBe("audio_only");
  seating.take(map(3));
  expect(seating.reduced.value).toBeUndefined();
});

test("waves that wait are told, and a new connection knows nothing of it", () => {
  const seating = new Seating();
  seating.take({ ...map(1), waves_wait: true });
  expect(seating.wavesWait.value).toBe(true);
  seating.take(map(2));
  expect(seating.wavesWait.value).toBe(false);
  seating.take({ ...map(3), waves_wait: true });
  seating.begin(undefined);
  expect(seating.wavesWait.value).toBe(false);
});

const ABE = "0000000000001";

function withAbe(version: number, more: Partial<SlotMap>, given_up?: "picture" | "sound"): SlotMap {
  const slot = { index: 0, participant: ABE, role: "doctor" as const, audio: false, video: true, given_up };
  return { ...map(version), slots: [slot], ...more };
}

test("stills take a picture's place as long as nothing else comes", () => {
  vi.stubGlobal("URL", { createObjectURL: () => "blob:1", revokeObjectURL: vi.fn() });
  vi.stubGlobal("MediaStream", class {});
  const seating = new Seating();
  seating.begin({ slots: [], auscultation: {}, terms: { makesRoom: signal(false) } } as unknown as Lines);
  const stills = { reduced: { step: "stills" as const, because: "pinned" as const } };
  seating.take(withAbe(1, stills, "picture"));
  expect(seating.seats.value[0]).toMatchObject({ video: false, still: undefined });
  expect(seating.hasCompany(), "nothing but stills comes").toBe(false);
  const [piece] = piecesOf(new Uint8Array([1]), 5);
  const message = new Uint8Array([...new TextEncoder().encode(ABE), ...(piece ?? [])]).buffer;
  seating.takeStill(message, 5);
  expect(seating.seats.value[0]?.still).toEqual({ url: "blob:1", taken: 5 });
  seating.take(withAbe(2, stills, "picture"));
  expect(seating.seats.value[0]?.still?.taken).toBe(5);
  seating.take(withAbe(3, { reduced: { step: "audio_only", because: "pinned" } }, "picture"));
  expect(seating.seats.value[0]?.still, "stills have ended").toBeUndefined();
  seating.take(withAbe(4, {}));
  expect(seating.seats.value[0]).toMatchObject({ video: true, still: undefined });
  expect(seating.hasCompany()).toBe(true);
  vi.unstubAllGlobals();
});

test("what does not go out of the own picture is told as the relay and the own line have it", () => {
  const narrow = signal(false);
  const seating = new Seating();
  seating.begin({ slots: [], auscultation: {}, terms: { makesRoom: narrow } } as unknown as Lines);
  seating.take({ ...map(1), wanted: { video: "quarter", stills: false, given_up: "size", own_link: true } });
  expect(seating.unsent.value).toBe("size");
  narrow.value = true;
  expect(seating.unsent.value).toBe("picture");
  seating.take({ ...map(2), wanted: { video: "off", stills: true, given_up: "picture", own_link: true } });
  expect(seating.unsent.value).toBe("movement");
  narrow.value = false;
  seating.take({ ...map(3), wanted: { video: "full", stills: false, given_up: "size" } });
  expect(seating.unsent.value).toBe("small");
  seating.take({ ...map(4), wanted: { video: "half", stills: false } });
  expect(seating.unsent.value).toBeUndefined();
});

test("nothing is said of the own picture for a connection that is gone", () => {
  const narrow = signal(true);
  const seating = new Seating();
  seating.begin({ slots: [], auscultation: {}, terms: { makesRoom: narrow } } as unknown as Lines);
  seating.take({ ...map(1), wanted: { video: "half", stills: false } });
  expect(seating.unsent.value).toBe("picture");
  seating.begin(undefined);
  expect(seating.unsent.value).toBeUndefined();
});
