// What a page sends: as much as the relay asks for, and less while its own line has no room. On a
// line that is full the relay's words come late, and it is full until somebody makes room.

import { signal } from "@preact/signals";
import type { SlotMap, Wanted } from "../wire/types";
import { sendOnly } from "./camera-layers";
import type { Voice } from "./voice";

/** A trip that takes so much longer than the shortest one stands in a queue. */
const QUEUE_MS = 300;
/** So long it must have been so: a trip is measured every two and a half seconds, and one is long by
 * chance, behind a large picture. */
const NARROW_AFTER_MS = 3_000;
/** After so long the queue has run empty: what a trip takes then is the length of the line. */
const EMPTIES_MS = 3_000;
/** Trips that are still long, and alike, for so long after that are no queue, which is never the same for long. */
const SAME = { for_ms: 6_000, within_ms: 30 };
/** So long nothing more is tried then, twice as long each time that it fails at once, up to the last. A relay
 * of which no word has come since is waited for longer: the words may stand in the same queue. */
const WAIT_MS = { first: 20_000, unheard: 60_000, most: 160_000 };

interface Narrow {
  since: number;
  wait_ms: number;
  /** The relay has spoken since. */
  heard: boolean;
  shortest_ms: number;
  /** Trips since the queue should be empty. */
  same: { since: number; least_ms: number; most_ms: number } | undefined;
}

export class SendingTerms {
  /** The page makes room by itself just now, and sends no moving picture. */
  readonly makesRoom = signal(false);
  private version = -1;
  private wanted: Wanted | undefined;
  private shortest_ms = Number.POSITIVE_INFINITY;
  private queuedSince: number | undefined;
  private narrow: Narrow | undefined;
  private tried: { at: number; waited: number } | undefined;

  constructor(
    private readonly voice: Voice,
    private readonly camera: RTCRtpSender,
  ) {}

  /** Takes the relay's terms, if they are newer than the last. */
  take({ version, voice, wanted }: Pick<SlotMap, "version" | "voice" | "wanted">): void {
    if (version <= this.version) return;
    this.version = version;
    this.wanted = wanted;
    if (this.narrow) this.narrow.heard = true;
    this.voice.follow(voice);
    this.show();
  }

  /** Looks at how long a trip to the relay and back takes; called a few times a second. */
  feel(trip_ms: number | undefined, now: number): void {
    if (trip_ms === undefined) return;
    this.shortest_ms = Math.min(this.shortest_ms, trip_ms);
    if (this.narrow) return this.stayNarrow(this.narrow, trip_ms, now);
    const queued = trip_ms - this.shortest_ms >= QUEUE_MS;
    this.queuedSince = queued ? (this.queuedSince ?? now) : undefined;
    if (this.queuedSince === undefined || now - this.queuedSince < NARROW_AFTER_MS) return;
    const { first, most } = WAIT_MS;
    const failedAtOnce = this.tried !== undefined && now - this.tried.at < first;
    const wait_ms = failedAtOnce && this.tried ? Math.min(most, this.tried.waited * 2) : first;
    this.narrow = { since: now, wait_ms, heard: false, shortest_ms: trip_ms, same: undefined };
    this.show();
  }

  private stayNarrow(narrow: Narrow, trip_ms: number, now: number): void {
    const { since, wait_ms, heard } = narrow;
    const isEmpty = now - since >= EMPTIES_MS;
    if (isEmpty) narrow.shortest_ms = Math.min(narrow.shortest_ms, trip_ms);
    const isLonger = isEmpty && this.isLonger(narrow, trip_ms, now);
    if (!isLonger && now - since < (heard ? wait_ms : Math.max(wait_ms, WAIT_MS.unheard))) return;
    this.tried = isLonger ? undefined : { at: now, waited: wait_ms };
    // What remains of a trip when room was made is no queue: the line has become a longer one.
    this.shortest_ms = Math.max(this.shortest_ms, narrow.shortest_ms);
    this.narrow = this.queuedSince = undefined;
    this.show();
  }

  /** Whether trips have been long and alike since room was made. */
  private isLonger(narrow: Narrow, trip_ms: number, now: number): boolean {
    const { since, least_ms, most_ms } = narrow.same ?? { since: now, least_ms: trip_ms, most_ms: trip_ms };
    const [least, most] = [Math.min(least_ms, trip_ms), Math.max(most_ms, trip_ms)];
    const alike = most - least <= SAME.within_ms && least - this.shortest_ms >= QUEUE_MS;
    narrow.same = alike ? { since, least_ms: least, most_ms: most } : undefined;
    return alike && now - since >= SAME.for_ms;
  }

  private show(): void {
    this.makesRoom.value = this.narrow !== undefined;
    this.voice.makeRoom(this.makesRoom.peek());
    const { wanted } = this;
    const less = { video: "off", stills: wanted?.stills ?? false } as const;
    const shown = this.narrow ? less : wanted;
    this.voice.next(() => sendOnly(this.camera, shown));
  }
}
