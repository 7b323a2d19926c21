// What a page sends: as much as the relay asks for, and less while its own line has no room. On a
// line that is full the relay's words come late, and it is full until somebody makes room.

import type { SlotMap, Wanted } from "../wire/types";
import { sendOnly } from "./camera-layers";
import type { Voice } from "./voice";

/** A trip that takes so much longer than the shortest one stands in a queue. */
const QUEUE_MS = 300;
/** So long it must have been so. */
const NARROW_AFTER_MS = 1_500;
/** So long nothing more is tried then, twice as long each time that it fails at once, up to the last. */
const WAIT_MS = { first: 20_000, most: 160_000 };

export class SendingTerms {
  private version = -1;
  private wanted: Wanted | undefined;
  private shortest_ms = Number.POSITIVE_INFINITY;
  private queuedSince: number | undefined;
  private narrowUntil: number | undefined;
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
    this.voice.follow(voice);
    this.show();
  }

  /** Looks at how long a trip to the relay and back takes. */
  feel(trip_ms: number | undefined, now: number): void {
    if (trip_ms !== undefined) this.shortest_ms = Math.min(this.shortest_ms, trip_ms);
    const queued = trip_ms !== undefined && trip_ms - this.shortest_ms >= QUEUE_MS;
    this.queuedSince = queued ? (this.queuedSince ?? now) : undefined;
    if (this.narrowUntil !== undefined) {
      if (now >= this.narrowUntil) this.makeRoom(false);
      return;
    }
    if (this.queuedSince === undefined || now - this.queuedSince < NARROW_AFTER_MS) return;
    const { first, most } = WAIT_MS;
    const failedAtOnce = this.tried !== undefined && now - this.tried.at < first;
    const waited = failedAtOnce && this.tried ? Math.min(most, this.tried.waited * 2) : first;
    this.narrowUntil = now + waited;
    this.tried = { at: this.narrowUntil, waited };
    this.makeRoom(true);
  }

  private makeRoom(narrow: boolean): void {
    if (!narrow) this.narrowUntil = this.queuedSince = undefined;
    this.voice.makeRoom(narrow);
    this.show();
  }

  private show(): void {
    const { wanted } = this;
    const less = { video: "off", stills: wanted?.stills ?? false } as const;
    const shown = this.narrowUntil === undefined ? wanted : less;
    this.voice.next(() => sendOnly(this.camera, shown));
  }
}
