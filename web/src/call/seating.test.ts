import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SlotMap } from "../wire/types";
import { Seating, SETTLES_MS } from "./seating";

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
