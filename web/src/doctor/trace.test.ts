// The pulse wave: holes stay holes, and the head moves evenly.

import { describe, expect, it } from "vitest";
import type { WaveBlock } from "../wire/types";
import { CUSHION_MS, samplesOf, Trace, Tracings, TRACINGS_MAX, WINDOW_MS } from "./trace";

const T0 = 1_790_000_000_000;
const STEP_MS = 20;

function block(first: number, run = 1, count = 10): WaveBlock {
  const samples = btoa(String.fromCharCode(...Array.from({ length: count }, (_, n) => n)));
  return {
    device: "sim-oximeter-1",
    kind: "pleth",
    run,
    first_sample: first,
    rate_num: 50,
    rate_den: 1,
    at: T0 + first * STEP_MS,
    samples,
  };
}

describe("the pulse wave", () => {
  it("joins blocks that follow each other", () => {
    const trace = new Trace();
    trace.take(block(0), 0);
    trace.take(block(10), 200);
    const segments = trace.segments(T0 - 1, T0 + 1_000);
    expect(segments.map((one) => one.length)).toEqual([20]);
    expect(segments[0]?.[11]).toEqual({ at: T0 + 11 * STEP_MS, y: 1 });
  });

  it("keeps a lost block as a hole", () => {
    const trace = new Trace();
    trace.take(block(0), 0);
    trace.take(block(20), 400);
    expect(trace.segments(T0 - 1, T0 + 1_000).map((one) => one.length)).toEqual([10, 10]);
  });

  it("puts a block that was overtaken in its place", () => {
    const trace = new Trace();
    trace.take(block(10), 200);
    trace.take(block(0), 210);
    expect(trace.segments(T0 - 1, T0 + 1_000).map((one) => one.length)).toEqual([20]);
  });

  it("takes a repeated block once", () => {
    const trace = new Trace();
    trace.take(block(0), 0);
    trace.take(block(0), 10);
    expect(trace.segments(T0 - 1, T0 + 1_000).map((one) => one.length)).toEqual([10]);
  });

  it("does not join two runs of a gateway", () => {
    const trace = new Trace();
    trace.take(block(0, 1), 0);
    trace.take({ ...block(10, 2) }, 200);
    expect(trace.segments(T0 - 1, T0 + 1_000)).toHaveLength(2);
  });

  it("forgets what has left the window", () => {
    const trace = new Trace();
    for (let n = 0; n < 200; n += 1) trace.take(block(n * 10), n * 200);
    const kept = trace.segments(0, Number.MAX_SAFE_INTEGER).flat();
    expect((kept.at(-1)?.at ?? 0) - (kept[0]?.at ?? 0)).toBeLessThanOrEqual(2 * WINDOW_MS + 200);
  });

  it("moves its head evenly behind the newest sample", () => {
    const trace = new Trace();
    expect(trace.head(0)).toBeUndefined();
    trace.take(block(0), 1_000);
    expect(trace.head(1_000)).toBe(T0 + 200 - CUSHION_MS);
    expect(trace.head(1_100)).toBe(T0 + 300 - CUSHION_MS);
    expect(trace.head(9_000)).toBe(T0 + 200);
  });

  it("tells silence", () => {
    const trace = new Trace();
    trace.take(block(0), 1_000);
    expect(trace.silentMs(2_000)).toBeUndefined();
    expect(trace.silentMs(4_500)).toBe(3_500);
  });

  it("draws nothing of a text that is no base64", () => {
    expect(samplesOf("%%%")).toEqual([]);
  });
});

describe("the waves of a visit", () => {
  const ecg = (first: number, device = "sim-strap-1"): WaveBlock => ({
    ...block(first),
    device,
    kind: "ecg",
    microvolts_per_step: 10,
  });

  it("are one a device and kind, the pulse wave first", () => {
    const tracings = new Tracings();
    tracings.take(ecg(0), 0);
    tracings.take(block(0), 0);
    tracings.take(ecg(10), 200);
    const shown = tracings.shown();
    expect(shown.map(({ kind }) => kind)).toEqual(["pleth", "ecg"]);
    expect(shown[1]?.microvoltsPerStep).toBe(10);
    expect(shown[1]?.trace.segments(T0 - 1, T0 + 1_000).map((one) => one.length)).toEqual([20]);
  });

  it("keep their number bounded", () => {
    const tracings = new Tracings();
    for (let n = 0; n < 9; n += 1) tracings.take(ecg(0, `strap-${n}`), 0);
    expect(tracings.shown()).toHaveLength(TRACINGS_MAX);
  });
});
