// How a wave is laid on the screen: an ECG in millimetres of paper, a pulse wave as it fits. Pure.

import { WINDOW_MS } from "./trace";

/** A CSS pixel is 1/96 inch. */
export const PX_PER_MM = 96 / 25.4;
/** Half the usual speed of paper: a narrow column still shows some beats. */
export const ECG_MM_PER_SECOND = 12.5;
/** At a gain of 1. */
export const ECG_MM_PER_MILLIVOLT = 10;
/** The byte that stands for 0 V. */
const ECG_ZERO = 128;
/** A second of a pulse wave is at least so wide, so that a beat can be seen. */
const SECOND_PX = 48;
const SECONDS_MIN = 4;

/** So much time lies across the width; narrow places show less. */
export function windowOf(kind: "pleth" | "ecg", width: number): number {
  if (kind === "ecg") {
    return Math.min(WINDOW_MS, (width / (ECG_MM_PER_SECOND * PX_PER_MM)) * 1_000);
  }
  return Math.min(WINDOW_MS, Math.max(SECONDS_MIN, Math.floor(width / SECOND_PX)) * 1_000);
}

/** How many pixels of width that time takes: an ECG is never stretched. */
export function spanOf(kind: "pleth" | "ecg", width: number): number {
  if (kind === "pleth") return width;
  return Math.min(width, (WINDOW_MS / 1_000) * ECG_MM_PER_SECOND * PX_PER_MM);
}

/** How far above the middle an ECG's byte stands, in pixels. */
export function ecgRise(byte: number, microvoltsPerStep: number, gain: number): number {
  const millivolts = ((byte - ECG_ZERO) * microvoltsPerStep) / 1_000;
  return millivolts * ECG_MM_PER_MILLIVOLT * gain * PX_PER_MM;
}
