// A wave as it is drawn: samples in the gateway's own time, holes kept as holes, and a
// reading head that moves evenly although blocks arrive in bursts. Plain, no clock of its own.

import type { WaveBlock, WaveKind } from "../wire/types";

/** So much of the wave is kept and shown. */
export const WINDOW_MS = 8_000;
/** The head runs so far behind the newest sample that the next block is there in time. */
export const CUSHION_MS = 250;
/** Without a block for so long, the wave is said to be silent. */
export const SILENT_MS = 2_000;
const ARRIVALS = 12;

export interface Sample {
  /** The gateway's time, milliseconds. */
  readonly at: number;
  /** 0 to 255, no unit. */
  readonly y: number;
}

interface Piece {
  readonly run: number;
  readonly first: number;
  readonly samples: readonly Sample[];
}

/** One byte a sample from standard base64; a text that is none gives no samples. */
export function samplesOf(text: string): number[] {
  try {
    return [...atob(text)].map((char) => char.charCodeAt(0));
  } catch {
    return [];
  }
}

export class Trace {
  private pieces: Piece[] = [];
  private arrivals: number[] = [];
  private newest = Number.NEGATIVE_INFINITY;
  private heardAt = Number.NEGATIVE_INFINITY;

  /** Takes a block that arrived at `now`, milliseconds on any steady clock of the page. */
  take(block: WaveBlock, now: number): void {
    const values = samplesOf(block.samples);
    if (values.length === 0 || block.rate_num <= 0) return;
    if (
      this.pieces.some((piece) => piece.run === block.run && piece.first === block.first_sample)
    ) {
      return;
    }
    const stepMs = (1_000 * block.rate_den) / block.rate_num;
    const samples = values.map((y, n) => ({ at: block.at + n * stepMs, y }));
    const end = block.at + values.length * stepMs;
    this.pieces.push({ run: block.run, first: block.first_sample, samples });
    this.pieces.sort((a, b) => (a.samples[0]?.at ?? 0) - (b.samples[0]?.at ?? 0));
    this.newest = Math.max(this.newest, end);
    this.pieces = this.pieces.filter(
      (piece) => (piece.samples.at(-1)?.at ?? 0) > this.newest - 2 * WINDOW_MS,
    );
    this.heardAt = now;
    this.arrivals = [...this.arrivals, now - end].slice(-ARRIVALS);
  }

  /** The moment that is drawn last at `now`, in the gateway's time; `undefined` before any block. */
  head(now: number): number | undefined {
    if (this.arrivals.length === 0) return undefined;
    const latest = Math.max(...this.arrivals);
    return Math.min(this.newest, now - latest - CUSHION_MS);
  }

  /** For how long nothing came, if that is worth saying. */
  silentMs(now: number): number | undefined {
    const silent = now - this.heardAt;
    return silent > SILENT_MS ? silent : undefined;
  }

  /** Runs of neighbouring samples in `(from, to]`; between two runs is a hole. */
  segments(from: number, to: number): Sample[][] {
    const segments: Sample[][] = [];
    let before: { run: number; next: number } | undefined;
    for (const piece of this.pieces) {
      const follows = before?.run === piece.run && before.next === piece.first;
      const visible = piece.samples.filter((sample) => sample.at > from && sample.at <= to);
      const last = segments.at(-1);
      if (visible.length > 0) {
        if (follows && last) last.push(...visible);
        else segments.push(visible);
      }
      before = { run: piece.run, next: piece.first + piece.samples.length };
    }
    return segments;
  }
}

/** One wave of one device. */
export interface Tracing {
  readonly key: string;
  readonly device: string;
  readonly kind: WaveKind;
  /** Of an ECG; a pulse wave has no unit. */
  readonly microvoltsPerStep: number | undefined;
  readonly trace: Trace;
}

/** So many waves stand one below the other; a further one is not drawn. */
export const TRACINGS_MAX = 4;

/** All waves of a visit, one a device and kind: the pulse waves first, then in order of coming. */
export class Tracings {
  private readonly held = new Map<string, Tracing>();

  take(block: WaveBlock, now: number): void {
    const key = `${block.kind} ${block.device}`;
    let tracing = this.held.get(key);
    if (!tracing || tracing.microvoltsPerStep !== block.microvolts_per_step) {
      if (!tracing && this.held.size >= TRACINGS_MAX) return;
      const { device, kind, microvolts_per_step: microvoltsPerStep } = block;
      tracing = { key, device, kind, microvoltsPerStep, trace: new Trace() };
      this.held.set(key, tracing);
    }
    tracing.trace.take(block, now);
  }

  shown(): Tracing[] {
    const all = [...this.held.values()];
    return [...all.filter(({ kind }) => kind === "pleth"), ...all.filter(({ kind }) => kind === "ecg")];
  }
}
