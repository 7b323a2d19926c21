// Raw frames on their way from a device at this tablet to the broker: in order, kept until they are
// answered, sent again after a cut. Nothing is read here; the broker's codecs do that.

import { type Signal, signal } from "@preact/signals";
import type { Answer } from "../wire/acts";
import type { Act, Code, HandedFrame } from "../wire/types";

/** The broker takes no more in one go. */
export const BATCH_FRAMES_MAX = 64;
/** Batches leave at most so often. */
export const BATCH_EVERY_MS = 500;
/**
 * Frames kept without an answer, half an hour of an oximeter. When it is full, nothing kept is given
 * up: the device is let go, so that a cuff keeps its values itself, and the nurse is told.
 */
export const FRAMES_MAX = 2_000;
/** Pause after a refusal that will pass. */
const AGAIN_MS = 2_000;
/** Pause after one that may not: nothing is given up, and the nurse reads why. */
export const REFUSED_AGAIN_MS = 30_000;
/** Refusals that say nothing about the frames. */
export const PASSING: readonly Code[] = ["busy", "not_durable", "too_many", "slow_reader"];

export interface FramesOf {
  readonly ticket: string;
  readonly device: string;
  readonly model: string;
}

export interface FramesWorld {
  /** The broker's time. */
  now(): number;
  act(act: Act): Promise<Answer>;
  /** The broker says that the device is not on this patient any more; what was handed in is kept. */
  cameOff?(): void;
}

export class Frames {
  /** Frames that the broker has not answered for. */
  readonly waiting: Signal<number> = signal(0);
  /** Frames that the broker could not read; they are no values. */
  readonly unread: Signal<number> = signal(0);
  /** Why the broker takes none of them, if it said so. */
  readonly refused: Signal<Code | undefined> = signal(undefined);
  private readonly kept: HandedFrame[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private flying = false;
  private open = false;
  /** So many of the oldest go one by one, because one among them cannot be read. */
  private singly = 0;
  private boot = "";
  private sequence = 0;

  constructor(
    private readonly of: FramesOf,
    private readonly world: FramesWorld,
  ) {}

  /** A new connection to the device: it counts anew under a name of its own. */
  begin(boot: string): void {
    this.boot = boot;
    this.sequence = 0;
  }

  /** Somebody has said whose the device is, or that it is nobody's: frames may go. */
  begins(): void {
    this.open = true;
    this.plan(BATCH_EVERY_MS);
  }

  /** Keeps a frame; false when there is no room, and then it was not taken. */
  take(characteristic: string, bytes: DataView): boolean {
    if (this.kept.length >= FRAMES_MAX) return false;
    this.kept.push({
      characteristic,
      bytes: hexOf(bytes),
      at: Math.round(this.world.now()),
      boot: this.boot,
      sequence: this.sequence,
    });
    this.sequence += 1;
    this.waiting.value = this.kept.length;
    this.plan(BATCH_EVERY_MS);
    return true;
  }

  private plan(ms: number): void {
    const nothing = !this.open || this.kept.length === 0;
    if (nothing || this.flying || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.send();
    }, ms);
  }

  private async send(): Promise<void> {
    const size = this.singly > 0 ? 1 : BATCH_FRAMES_MAX;
    const batch = this.kept.slice(0, size);
    this.flying = true;
    const answer = await this.world.act({ type: "hand_frames", ...this.of, frames: batch });
    this.flying = false;
    this.plan(this.settle(answer, batch.length));
  }

  /** What became of the oldest `count`; gives the pause before the next batch. */
  private settle(answer: Answer, count: number): number {
    if (answer.type === "done") {
      this.refused.value = undefined;
      this.forget(count);
      if (answer.outcome.type === "came_off") this.world.cameOff?.();
      return BATCH_EVERY_MS;
    }
    if (answer.type === "not_sent" || PASSING.includes(answer.code)) return AGAIN_MS;
    // A tablet in patient view, or a nurse who has to sign in again: she comes back.
    if (answer.code === "not_allowed" || answer.code === "sign_in_first") return AGAIN_MS;
    if (answer.code !== "frame_refused") {
      // Kept here, and said so: a value is never given up because it was refused.
      this.refused.value = answer.code;
      return REFUSED_AGAIN_MS;
    }
    if (count > 1) {
      this.singly = count;
      return BATCH_EVERY_MS;
    }
    this.unread.value += 1;
    this.forget(1);
    return BATCH_EVERY_MS;
  }

  private forget(count: number): void {
    this.kept.splice(0, count);
    this.singly = Math.max(0, this.singly - count);
    this.waiting.value = this.kept.length;
  }
}

/** Bytes as the wire writes them: two small hex digits each. */
export function hexOf(bytes: DataView): string {
  const all = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [...all].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
