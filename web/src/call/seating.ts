// Who sits where: the relay's slot map turned into people with a picture and a voice.

import { computed, type Signal, signal } from "@preact/signals";
import type { GivenUp, Reduced, Slot, SlotMap, Wanted } from "../wire/types";
import type { Lines } from "./offer";
import { type Still, Stills } from "./stills";
import { unsentOf } from "./unsent";
import { Frames } from "./watchdog";

/** Somebody else in the call. */
export interface Seat {
  index: number;
  participant: string;
  role: Slot["role"];
  stream: MediaStream;
  /** Sound has been coming from this person, and a moving picture comes here. */
  audio: boolean;
  video: boolean;
  /** What is missing of this person; whether that person's page does not send it, and whether that is for
   * want of room on that person's own line. */
  given_up?: GivenUp;
  unsent?: boolean;
  own_link?: boolean;
  /** The newest still, where stills take the picture's place. */
  still: Still | undefined;
  /** The picture stands still since, in the screen's own time. */
  frozenSince: number | undefined;
}

/** In its first seconds a call feels its way up: a picture that is a little smaller for so long is no
 * word about the line yet. */
export const SETTLES_MS = 15_000;

/** A moving picture comes of this person. */
const moves = (slot: Slot) => slot.video && (slot.given_up === undefined || slot.given_up === "size");

export class Seating {
  readonly seats: Signal<readonly Seat[]> = signal<readonly Seat[]>([]);
  /** Whose stethoscope is on the line, and its sound. */
  readonly auscultation: Signal<{ of: string; stream: MediaStream } | undefined> = signal(undefined);
  /** How much of the call the line carries, while that is not all of it. */
  readonly reduced: Signal<Reduced | undefined> = signal(undefined);
  /** Waves come to the relay, and the line has no room for them. */
  readonly wavesWait: Signal<boolean> = signal(false);
  /** What of the own camera anybody needs. */
  readonly wanted: Signal<Wanted | undefined> = signal(undefined);
  /** What of the own picture does not go out. */
  readonly unsent = computed(() => unsentOf(this.wanted.value, this.isNarrow.value));
  /** The connection makes room by itself. */
  private readonly isNarrow = computed(() => this.connection.value?.terms.makesRoom.value ?? false);
  private readonly connection: Signal<Lines | undefined> = signal(undefined);
  private map: SlotMap | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private readonly streams = new Map<number, MediaStream>();
  private readonly frames = new Frames();
  private readonly frozen = new Map<number, number>();
  private readonly stills = new Stills();

  /** A new connection, or none: everybody sits down anew. */
  begin(lines: Lines | undefined): void {
    this.connection.value = lines;
    this.map = undefined;
    this.streams.clear();
    this.frozen.clear();
    this.auscultation.value = undefined;
    this.tellReduced(undefined);
    this.wavesWait.value = false;
    this.wanted.value = undefined;
    this.stills.keep(new Set());
    this.publish();
  }

  /** Somebody's sound or picture is sent here: then bytes must come. */
  hasCompany(): boolean {
    return (this.map?.slots ?? []).some((slot) => (slot.audio && slot.given_up !== "sound") || moves(slot));
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
    this.wavesWait.value = map.waves_wait ?? false;
    this.wanted.value = map.wanted;
    this.listenTo(map.auscultation);
    // Of somebody whose own line is the thin one stills come on every higher step too.
    const step = map.reduced?.step;
    const mayCome = step !== "audio_only" && step !== "text_only";
    const onStills = mayCome ? map.slots.filter((slot) => slot.given_up === "picture") : [];
    this.stills.keep(new Set(onStills.map((slot) => slot.participant)));
    this.publish();
  }

  /** A message of the stills' channel; `now` is the broker's time. */
  takeStill(message: ArrayBuffer, now: number): void {
    const isSeated = (sender: string) => this.map?.slots.some((slot) => slot.participant === sender) ?? false;
    if (this.stills.take(message, now, isSeated)) this.publish();
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
    const lines = this.connection.peek();
    const stream = lines && new MediaStream([lines.auscultation.track]);
    this.auscultation.value = participant && stream ? { of: participant, stream } : undefined;
  }

  private publish(): void {
    const lines = this.connection.peek();
    // The gateway has no face.
    const people = lines ? (this.map?.slots ?? []).filter((slot) => slot.role !== "gateway") : [];
    this.seats.value = people.flatMap((slot) =>
      lines
        ? {
            ...slot,
            stream: this.streamOf(lines, slot.index),
            still: slot.given_up === "picture" ? this.stills.of(slot.participant) : undefined,
            video: moves(slot),
            frozenSince: moves(slot) ? this.frozen.get(slot.index) : undefined,
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
