// One screen's place in the call: joins at the relay, mends the path by itself, joins anew when the
// session is gone, and says truthfully how it stands.

import { effect, type Signal, signal, untracked } from "@preact/signals";
import type { Code, FromPage, LadderStep, MediaGrant, RelayCode, SlotMap, ToPage, VideoWish } from "../wire/types";
import type { Wire } from "../wire/wire";
import { Coming, pause } from "./coming";
import { Hearing } from "./hearing";
import { Kept } from "./kept";
import type { Lines } from "./offer";
import { isEndedByBroker } from "./over";
import { Own } from "./own";
import * as relay from "./relay";
import { Seating } from "./seating";
import { Stethoscope } from "./stethoscope";
import { StillCamera } from "./still-camera";
import { REJOIN_AFTER_MS } from "./watchdog";

export type { Seat } from "./seating";

/** So long the browser's question about camera and microphone holds the call up. */
const QUESTION_MS = 4_000;
/** Pauses between attempts to join: the first, the longest. */
const REJOIN_MS = { first: 500, most: 8_000 };
/** Refusals in a row before the person is told which; the attempts go on. */
const REFUSALS_BEFORE_TELLING = 3;

export type CallState =
  | { type: "idle" }
  /** The browser asks for camera and microphone. */
  | { type: "asking" }
  | { type: "connecting" }
  | { type: "live" }
  /** Nothing is heard since; the path is being mended. */
  | { type: "restarting"; since: number }
  /** Nothing came for long, or the session at the relay is gone; it is joined anew as long as the visit lasts. */
  | { type: "gone"; since: number; code: Code | RelayCode | undefined };

/** After these the visit goes on without this screen: no further attempt. */
const FINAL: readonly (Code | RelayCode)[] = ["visit_over", "visit_unknown", "not_present", "not_yours"];

export class Call {
  readonly state: Signal<CallState> = signal<CallState>({ type: "idle" });
  /** What of it is heard on this screen. */
  readonly hearing = new Hearing();
  private readonly seating = new Seating();
  readonly seats = this.seating.seats;
  readonly auscultation = this.seating.auscultation;
  readonly reduced = this.seating.reduced;
  readonly wavesWait = this.seating.wavesWait;
  readonly unsent = this.seating.unsent;
  /** The own microphone and camera. */
  readonly own: Own;
  /** The own one; `auscultation` is what somebody else's brings. */
  readonly stethoscope = new Stethoscope();
  private readonly stillCamera: StillCamera;

  private visit: string | undefined;
  /** The connection in use. */
  private kept: Kept | undefined;
  /** How much picture is wanted of whom, and the connection on which that was said. */
  private readonly wishes = new Map<string, VideoWish>();
  private wishedOn: Lines | undefined;
  private coming: Coming | undefined;
  /** Which of the visit's relays the newest grant was for; a higher number is a newer one. */
  private readonly granted: Signal<number | undefined> = signal(undefined);
  /** The newest attempt to join; an older one is given up. */
  private attempt = 0;
  private asking = false;
  private unfollow: (() => void) | undefined;
  private rejoining = false;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly options: { staff: boolean; video: boolean },
  ) {
    this.own = new Own(options.video);
    const seen = () => (this.own.camera.peek() ? this.own.stream.peek() : undefined);
    this.stillCamera = new StillCamera(seen, () => this.now.peek());
  }

  /** The broker's time, moved on once a second: how old a still is. */
  get now(): Signal<number> {
    return this.wire.clock.now;
  }

  /** Enters the call of a visit and stays in it until `leave`. */
  async join(visit: string): Promise<void> {
    if (this.visit === visit) return;
    if (this.visit) this.leave();
    this.visit = visit;
    window.addEventListener("online", this.networkChanged);
    window.addEventListener("pagehide", this.pageHides);
    this.unfollow = effect(() => this.follow(visit));
    this.state.value = { type: "asking" };
    // Who does not see the browser's question can at least hear and see the others.
    await Promise.race([this.own.hold(), pause(QUESTION_MS)]);
    if (this.visit === visit) await this.connect();
  }

  /** Leaves the call and lets go of camera and microphone; nothing is sent or heard from here on. */
  leave(): void {
    const goodbye = this.visit !== undefined && !this.isEndedByBroker(this.visit);
    this.visit = undefined;
    window.removeEventListener("online", this.networkChanged);
    window.removeEventListener("pagehide", this.pageHides);
    this.unfollow?.();
    this.granted.value = undefined;
    this.wishes.clear();
    this.attempt += 1;
    this.noRetry();
    this.letGo(goodbye);
    this.own.letGo();
    this.stethoscope.letGo();
    this.state.value = { type: "idle" };
  }

  private isEndedByBroker(visit: string): boolean {
    const you = this.wire.you.peek();
    const mine = you?.role === "doctor" ? you.staff : undefined;
    // A page that leaves watches nothing any more.
    return untracked(() => isEndedByBroker(this.wire.views, visit, mine));
  }

  /** How much picture this screen wants of somebody. Sound is not affected. */
  want(participant: string, video: VideoWish): void {
    this.wishes.set(participant, video);
    this.tell({ type: "want_video", participant, video });
  }

  /** Holds a page on a step, or lets its line decide again. The relay hears it from doctors only. */
  pin(participant: string, step: LadderStep | null): void {
    this.tell({ type: "pin", participant, step });
  }

  private tell(words: FromPage): void {
    const channel = this.kept?.lines.slotsChannel;
    if (channel?.readyState === "open") channel.send(JSON.stringify(words));
  }

  /** The visit was given to another relay: everybody joins there at once. */
  private follow(visit: string): void {
    const now = this.wire.views.rows("visits").get(visit)?.relay ?? 0;
    const mine = this.granted.value;
    if (mine === undefined || now <= mine) return;
    untracked(() => {
      this.noRetry();
      void this.connect();
    });
  }

  /** Gets a token, makes the one offer and takes the answer, if it is still wanted then. */
  private async connect(isWanted = () => true): Promise<void> {
    const visit = this.visit;
    if (!visit) return;
    this.attempt += 1;
    const { attempt } = this;
    if (!this.kept && !("since" in this.state.peek())) this.state.value = { type: "connecting" };
    const answer = await this.wire.act({ type: "join_media", visit });
    if (this.visit !== visit || this.attempt !== attempt || !isWanted()) return;
    if (answer.type !== "done" || answer.outcome.type !== "media") {
      return this.notJoined(answer.type === "refused" ? answer.code : undefined);
    }
    if (this.hearing.settle(answer.outcome.companion)) this.own.setMicrophone(false);
    await this.take(visit, answer.outcome);
  }

  private async take(visit: string, grant: MediaGrant): Promise<void> {
    const { attempt } = this;
    try {
      await this.negotiate(visit, grant);
    } catch {
      // The browser took no part of the answer, or has no WebRTC: tried again, told as gone.
      if (this.visit === visit && this.attempt === attempt) this.notJoined(undefined);
    }
  }

  private async negotiate(visit: string, grant: MediaGrant): Promise<void> {
    this.dropComing(false);
    const coming = new Coming(this.options.staff, this.own.stream.peek(), grant);
    this.coming = coming;
    this.listen(coming.lines);
    // May call for the next attempt at once, if the visit has moved on meanwhile.
    this.granted.value = grant.relay;
    const reply = await coming.negotiate();
    if (this.visit !== visit || this.coming !== coming) return;
    if (reply.type !== "ok") return this.notJoined(reply.type === "refused" ? reply.code : undefined);
    await coming.ready(() => this.coming === coming && this.flows());
    if (this.coming !== coming) return;
    if (coming.isUp || !this.flows()) this.takePlace(coming);
    else this.notJoined(undefined);
  }

  /** The connection in use carries media. */
  private flows(): boolean {
    return this.kept !== undefined && this.state.peek().type === "live";
  }

  /** From the old connection, if there is one, to the new. */
  private takePlace({ lines, session, map }: Coming): void {
    // It is not dropped with the old one.
    this.coming = undefined;
    this.letGo(false);
    const kept = this.keep(lines, session);
    this.kept = kept;
    this.own.putOn(lines);
    this.stethoscope.putOn(lines);
    this.seating.begin(lines);
    if (map) this.sit(lines, map);
    if (kept.isUp) this.live();
  }

  private keep(lines: Lines, session: relay.RelaySession | undefined): Kept {
    return new Kept(lines, session, {
      hasCompany: () => this.seating.hasCompany(),
      brokerHeard: () => this.wire.link.peek().state === "connected",
      flows: () => this.backAgain(),
      stalls: (now) => {
        this.wire.doubt();
        this.sayGone(now);
      },
      mends: (since) => {
        if (this.state.peek().type === "live") this.state.value = { type: "restarting", since };
      },
      counted: (frames, now) => this.seating.follow(frames, now),
      unreached: () => void this.ask(),
      silent: () => this.rejoin(),
      // With a better one on its way nothing is lost.
      lost: (code) => !this.coming && this.failed(code),
    });
  }

  /** Media flows again: then the broker can be reached too. */
  private backAgain(): void {
    if (!("since" in this.state.peek())) return;
    this.state.value = { type: "live" };
    this.wire.wake();
  }

  /** What did not come for long is not called mending any more, though that goes on. */
  private sayGone(now: number): void {
    const told = this.state.peek();
    if (told.type !== "restarting" || now - told.since < REJOIN_AFTER_MS) return;
    this.state.value = { type: "gone", since: told.since, code: undefined };
  }

  /** A new session beside the silent one, which is kept until that one is there. */
  private async rejoin(): Promise<void> {
    if (this.rejoining || this.coming || this.retry !== undefined) return;
    this.rejoining = true;
    await this.connect(() => !this.flows());
    this.rejoining = false;
  }

  private sit(lines: Lines, map: SlotMap): void {
    // A new session knows of no wish.
    if (this.wishedOn !== lines) {
      this.wishedOn = lines;
      for (const [participant, video] of this.wishes) this.tell({ type: "want_video", participant, video });
    }
    this.seating.take(map);
    this.stillCamera.want(this.seating.wanted.peek()?.stills ?? false, lines.stillsChannel);
  }

  private live(): void {
    this.failures = 0;
    this.state.value = { type: "live" };
  }

  private listen(lines: Lines): void {
    const isKept = () => this.kept?.lines === lines;
    lines.slotsChannel.onmessage = (event: MessageEvent) => {
      const map = JSON.parse(String(event.data)) as ToPage;
      if (isKept()) this.sit(lines, map);
      else if (this.coming?.lines === lines) this.coming.map = map;
      lines.terms.take(map);
    };
    lines.wavesChannel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (isKept()) this.hearing.wave(event.data);
    };
    lines.stillsChannel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (isKept()) this.seating.takeStill(event.data, this.now.peek());
    };
    lines.peer.onconnectionstatechange = () => {
      if (isKept() && lines.peer.connectionState === "connected") this.live();
    };
  }

  /** Silence here moves nobody: the broker is asked which relay it is now. */
  private async ask(): Promise<void> {
    const { visit, kept } = this;
    if (!visit || this.coming || this.asking || this.wire.link.peek().state !== "connected") return;
    this.asking = true;
    const answer = await this.wire.act({ type: "join_media", visit });
    this.asking = false;
    if (this.visit !== visit || this.kept !== kept || this.coming) return;
    if (answer.type !== "done" || answer.outcome.type !== "media") return;
    if (answer.outcome.relay === this.granted.peek()) return;
    this.attempt += 1;
    await this.take(visit, answer.outcome);
  }

  /** An attempt came to nothing. A connection that is there is kept; it is looked after by itself. */
  private notJoined(code: Code | RelayCode | undefined): void {
    if (!this.kept || (code && FINAL.includes(code))) return this.failed(code);
    this.dropComing(false);
    this.failures += 1;
    this.later();
  }

  /** The session is of no use: join anew, with pauses, as long as the visit lasts. */
  private failed(code: Code | RelayCode | undefined): void {
    this.failures += 1;
    const before = this.state.peek();
    const since = "since" in before ? before.since : (this.kept?.heardAt ?? Date.now());
    this.letGo(false);
    this.attempt += 1;
    const told = this.failures >= REFUSALS_BEFORE_TELLING ? code : undefined;
    this.state.value = { type: "gone", since, code: told };
    this.noRetry();
    if (!(code && FINAL.includes(code))) this.later();
  }

  private later(): void {
    this.noRetry();
    const wait = Math.min(REJOIN_MS.most, REJOIN_MS.first * 2 ** (this.failures - 1));
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.connect();
    }, wait * (0.75 + Math.random() / 2));
  }

  private noRetry(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
  }

  private dropComing(goodbye: boolean): void {
    this.coming?.drop(goodbye);
    this.coming = undefined;
  }

  private letGo(goodbye: boolean): void {
    this.dropComing(goodbye);
    const { kept } = this;
    this.kept = undefined;
    this.own.putOn(undefined);
    this.stethoscope.putOn(undefined);
    this.stillCamera.want(false, undefined);
    this.seating.begin(undefined);
    kept?.drop(goodbye);
  }

  private readonly networkChanged = (): void => {
    if (this.kept) void this.kept.mend();
    else if (this.state.peek().type === "gone") {
      this.noRetry();
      void this.connect();
    }
  };

  private readonly pageHides = (event: PageTransitionEvent): void => {
    // A page that is kept for the way back keeps its session too: ICE consent ends it if need be.
    if (event.persisted) return;
    for (const session of [this.kept?.session, this.coming?.session]) {
      if (session) void relay.leave(session);
    }
  };
}
