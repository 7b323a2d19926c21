// Who sits where: the relay's slot map turned into people with a picture and a voice.

import { type Signal, signal } from "@preact/signals";
import type { GivenUp, Reduced, Slot, SlotMap, Wanted } from "../wire/types";
import type { Lines } from "./offer";
import { Frames } from "./watchdog";

/** Somebody else in the call. */
export interface Seat {
  index: number;
  participant: string;
  role: Slot["role"];
  stream: MediaStream;
  /** Sound, picture has been coming lately. */
  audio: boolean;
  video: boolean;
  /** What the relay keeps back of this person for want of room on the line. */
  given_up?: GivenUp;
  /** The picture stands still since, in the screen's own time. */
  frozenSince: number | undefined;
}

/** In its first seconds a call feels its way up: a picture that is a little smaller for so long is no
 * word about the line yet. */
export const SETTLES_MS = 15_000;

export class Seating {
  readonly seats: Signal<readonly Seat[]> = signal<readonly Seat[]>([]);
  /** Whose stethoscope is on the line, and its sound. */
  readonly auscultation: Signal<{ of: string; stream: MediaStream } | undefined> = signal(undefined);
  /** How much of the call the line carries, while that is not all of it. */
  readonly reduced: Signal<Reduced | undefined> = signal(undefined);
  /** What of the own camera anybody needs. */
  readonly wanted: Signal<Wanted | undefined> = signal(undefined);
  private lines: Lines | undefined;
  private map: SlotMap | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private readonly streams = new Map<number, MediaStream>();
  private readonly frames = new Frames();
  private readonly frozen = new Map<number, number>();

  /** A new connection, or none: everybody sits down anew. */
  begin(lines: Lines | undefined): void {
    this.lines = lines;
    this.map = undefined;
    this.streams.clear();
    this.frozen.clear();
    this.auscultation.value = undefined;
    this.tellReduced(undefined);
    this.wanted.value = undefined;
    this.publish();
  }

  /** Somebody sends sound or a picture: then bytes must come. */
  hasCompany(): boolean {
    return (this.map?.slots ?? []).some((slot) => slot.audio || slot.video);
  }

  /** A full snapshot; one that is older than the last is dropped. */
  take(map: SlotMap): void {
    if (this.map && map.version < this.map.version) return;
    const before = new Map(this.map?.slots.map((slot) => [slot.index, slot.participant]));
    for (const slot of map.slots) {
      if (before.get(slot.index) === slot.participant) continue;
      this.frames.forget(slot.index);
      this.frozen.delete(slot.index);
    }
    this.map = map;
    this.tellReduced(map.reduced);
    this.wanted.value = map.wanted;
    this.listenTo(map.auscultation);
    this.publish();
  }

  /** Decoded frames by slot: notices pictures that stand still. */
  follow(frames: ReadonlyMap<number, number>, now: number): void {
    let changed = false;
    for (const [index, count] of frames) {
      const since = this.frames.frozenSince(index, count, now);
      if (since === this.frozen.get(index)) continue;
      changed = true;
      if (since === undefined) this.frozen.delete(index);
      else this.frozen.set(index, since);
    }
    if (changed) this.publish();
  }

  private tellReduced(reduced: Reduced | undefined): void {
    const isLittle = reduced?.step === "small" && reduced.because !== "pinned";
    if (isLittle && this.reduced.peek() === undefined) {
      this.settling ??= setTimeout(() => {
        this.reduced.value = this.map?.reduced;
      }, SETTLES_MS);
      return;
    }
    clearTimeout(this.settling);
    this.settling = undefined;
    this.reduced.value = reduced;
  }

  private listenTo(participant: string | null): void {
    if (this.auscultation.peek()?.of === (participant ?? undefined)) return;
    const stream = this.lines && new MediaStream([this.lines.auscultation.track]);
    this.auscultation.value = participant && stream ? { of: participant, stream } : undefined;
  }

  private publish(): void {
    const lines = this.lines;
    // The gateway has no face.
    const people = lines ? (this.map?.slots ?? []).filter((slot) => slot.role !== "gateway") : [];
    this.seats.value = people.flatMap((slot) =>
      lines
        ? {
            ...slot,
            stream: this.streamOf(lines, slot.index),
            frozenSince: slot.video ? this.frozen.get(slot.index) : undefined,
          }
        : [],
    );
  }

  private streamOf(lines: Lines, index: number): MediaStream {
    const held = this.streams.get(index);
    if (held) return held;
    const line = lines.slots[index];
    const made = new MediaStream(line ? [line.audio.track, line.video.track] : []);
    this.streams.set(index, made);
    return made;
  }
}
