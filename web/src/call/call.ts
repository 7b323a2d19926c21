// One screen's place in the call: joins at the relay, mends the path by itself, joins anew when the
// session is gone, and says truthfully how it stands.

import { effect, type Signal, signal, untracked } from "@preact/signals";
import type { Code, FromPage, LadderStep, MediaGrant, RelayCode, ToPage, VideoWish, WaveBlock } from "../wire/types";
import type { Wire } from "../wire/wire";
import { describe } from "./audio-nack";
import { Coming, pause } from "./coming";
import type { Lines } from "./offer";
import { isEndedByBroker } from "./over";
import { Own } from "./own";
import * as relay from "./relay";
import { Seating } from "./seating";
import { measure } from "./stats";
import { advise, feel, isStalled, type Pulse, REJOIN_AFTER_MS, RESTART_PAUSE_MS, UNREACHED_PAUSE_MS } from "./watchdog";

export type { Seat } from "./seating";

const WATCH_MS = 250;
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
  /** Whether others are heard here. A second screen in the room begins silent. */
  readonly speaker = signal(true);
  readonly companion = signal(false);
  /** The browser plays sound only after a tap. */
  readonly needsTap = signal(false);
  private readonly seating = new Seating();
  readonly seats = this.seating.seats;
  readonly auscultation = this.seating.auscultation;
  readonly reduced = this.seating.reduced;
  private readonly own: Own;
  readonly self: Own["stream"];
  readonly faults: Own["faults"];
  readonly microphone: Own["microphone"];
  readonly camera: Own["camera"];

  private visit: string | undefined;
  private lines: Lines | undefined;
  private session: relay.RelaySession | undefined;
  private coming: Coming | undefined;
  /** Which of the visit's relays the newest grant was for; a higher number is a newer one. */
  private readonly granted: Signal<number | undefined> = signal(undefined);
  /** The newest attempt to join; an older one is given up. */
  private attempt = 0;
  private asking = false;
  private unfollow: (() => void) | undefined;
  private pulse: Pulse | undefined;
  private lastRestartAt: number | undefined;
  private restarting = false;
  private rejoining = false;
  private failures = 0;
  private watch: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly waveEars = new Set<(block: WaveBlock) => void>();
  private readonly taps = new Set<() => void>();
  private companionSettled = false;

  constructor(
    private readonly wire: Wire,
    private readonly options: { staff: boolean; video: boolean },
  ) {
    this.own = new Own(options.video);
    this.self = this.own.stream;
    this.faults = this.own.faults;
    this.microphone = this.own.microphone;
    this.camera = this.own.camera;
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
    this.attempt += 1;
    this.noRetry();
    this.letGo(goodbye);
    this.own.letGo();
    this.state.value = { type: "idle" };
  }

  private isEndedByBroker(visit: string): boolean {
    const you = this.wire.you.peek();
    const mine = you?.role === "doctor" ? you.staff : undefined;
    // A page that leaves watches nothing any more.
    return untracked(() => isEndedByBroker(this.wire.views, visit, mine));
  }

  setMicrophone(on: boolean): void {
    this.own.setMicrophone(on);
  }

  setCamera(on: boolean): Promise<void> {
    return this.own.setCamera(on);
  }

  setSpeaker(on: boolean): void {
    this.speaker.value = on;
  }

  /** Asks for camera and microphone again, after the person allowed them in the settings. */
  askAgain(): Promise<void> {
    return this.own.askAgain();
  }

  /** How much picture this screen wants of somebody. Sound is not affected. */
  want(participant: string, video: VideoWish): void {
    this.tell({ type: "want_video", participant, video });
  }

  /** Holds a page on a step, or lets its line decide again. The relay hears it from doctors only. */
  pin(participant: string, step: LadderStep | null): void {
    this.tell({ type: "pin", participant, step });
  }

  private tell(words: FromPage): void {
    const channel = this.lines?.slotsChannel;
    if (channel?.readyState === "open") channel.send(JSON.stringify(words));
  }

  /** Hears the waves of the visit until the returned function is called. */
  onWave(ear: (block: WaveBlock) => void): () => void {
    this.waveEars.add(ear);
    return () => this.waveEars.delete(ear);
  }

  /** An element could not play: the person's tap will. */
  blocked(play: () => void): void {
    this.taps.add(play);
    this.needsTap.value = true;
  }

  /** The person tapped. */
  tap(): void {
    this.needsTap.value = false;
    for (const play of [...this.taps]) play();
    this.taps.clear();
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
    if (!this.lines && !("since" in this.state.peek())) this.state.value = { type: "connecting" };
    const answer = await this.wire.act({ type: "join_media", visit });
    if (this.visit !== visit || this.attempt !== attempt || !isWanted()) return;
    if (answer.type !== "done" || answer.outcome.type !== "media") {
      return this.notJoined(answer.type === "refused" ? answer.code : undefined);
    }
    this.beCompanion(answer.outcome.companion);
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

  private beCompanion(companion: boolean): void {
    this.companion.value = companion;
    // Only the first time: what the person switched on later stays on through a reconnection.
    if (this.companionSettled) return;
    this.companionSettled = true;
    if (!companion) return;
    this.setMicrophone(false);
    this.setSpeaker(false);
  }

  private async negotiate(visit: string, grant: MediaGrant): Promise<void> {
    this.dropComing(false);
    const coming = new Coming(this.options.staff, this.self.peek(), grant);
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
    return this.lines !== undefined && this.state.peek().type === "live";
  }

  /** From the old connection, if there is one, to the new. */
  private takePlace({ lines, session, map }: Coming): void {
    // It is not dropped with the old one.
    this.coming = undefined;
    this.letGo(false);
    this.lines = lines;
    this.session = session;
    this.own.putOn(lines);
    this.seating.begin(lines);
    if (map) this.seating.take(map);
    this.pulse = { bytes: 0, grewAt: Date.now() };
    this.watch = setInterval(() => void this.look(), WATCH_MS);
    if (lines.peer.connectionState === "connected") this.live();
  }

  private live(): void {
    this.failures = 0;
    this.state.value = { type: "live" };
  }

  private listen(lines: Lines): void {
    lines.slotsChannel.onmessage = (event: MessageEvent) => {
      const map = JSON.parse(String(event.data)) as ToPage;
      if (this.lines === lines) this.seating.take(map);
      else if (this.coming?.lines === lines) this.coming.map = map;
      lines.terms.take(map);
    };
    lines.wavesChannel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (this.lines === lines) this.hearWave(event.data);
    };
    lines.peer.onconnectionstatechange = () => {
      if (this.lines === lines && lines.peer.connectionState === "connected") this.live();
    };
  }

  private hearWave(data: ArrayBuffer): void {
    if (this.waveEars.size === 0) return;
    const block = JSON.parse(new TextDecoder().decode(data)) as WaveBlock;
    for (const ear of this.waveEars) ear(block);
  }

  /** Four times a second: does media flow, do pictures move, what is to be done? */
  private async look(): Promise<void> {
    const lines = this.lines;
    if (!lines) return;
    const { bytes, frames, trip_ms } = await measure(lines);
    if (this.lines !== lines) return;
    const now = Date.now();
    lines.terms.feel(trip_ms, now);
    this.pulse = feel(this.pulse, bytes, now);
    this.seating.follow(frames, now);
    const flows = this.pulse.grewAt === now && lines.peer.connectionState === "connected";
    if (flows) this.backAgain();
    const known = {
      pulse: this.pulse,
      company: this.seating.hasCompany(),
      iceFailed: ["disconnected", "failed"].includes(lines.peer.iceConnectionState),
      lastRestartAt: this.lastRestartAt,
      brokerHeard: this.wire.link.peek().state === "connected",
      now,
    };
    if (!isStalled(known)) return;
    this.wire.doubt();
    this.sayGone(now);
    const advice = advise(known);
    if (advice === "restart") await this.mend();
    if (advice === "rejoin") await this.rejoin();
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

  /** ICE restart with the session's own secret: works without signaling. */
  private async mend(): Promise<void> {
    const { lines, session } = this;
    if (!lines || !session || this.restarting) return;
    this.restarting = true;
    this.lastRestartAt = Date.now();
    if (this.state.peek().type === "live") {
      this.state.value = { type: "restarting", since: this.pulse?.grewAt ?? Date.now() };
    }
    try {
      await this.restart(lines, session);
    } catch {
      if (this.lines === lines && !this.coming) this.failed(undefined);
    } finally {
      this.restarting = false;
    }
  }

  private async restart(lines: Lines, session: relay.RelaySession): Promise<void> {
    await lines.voice.settled();
    lines.peer.restartIce();
    const reply = await relay.restart(session, await describe(lines.peer));
    if (this.lines !== lines) return;
    if (reply.type === "ok") {
      await lines.voice.answered(reply.value.sdp);
      return;
    }
    await lines.peer.setLocalDescription({ type: "rollback" });
    if (this.lines !== lines || this.coming) return;
    if (reply.type === "unreachable") {
      this.lastRestartAt = Date.now() - RESTART_PAUSE_MS + UNREACHED_PAUSE_MS;
      void this.ask();
    }
    if (reply.type === "refused" && reply.code !== "unavailable") this.failed(reply.code);
  }

  /** Silence here moves nobody: the broker is asked which relay it is now. */
  private async ask(): Promise<void> {
    const { visit, lines } = this;
    if (!visit || this.asking || this.wire.link.peek().state !== "connected") return;
    this.asking = true;
    const answer = await this.wire.act({ type: "join_media", visit });
    this.asking = false;
    if (this.visit !== visit || this.lines !== lines || this.coming) return;
    if (answer.type !== "done" || answer.outcome.type !== "media") return;
    if (answer.outcome.relay === this.granted.peek()) return;
    this.attempt += 1;
    await this.take(visit, answer.outcome);
  }

  /** An attempt came to nothing. A connection that is there is kept; it is looked after by itself. */
  private notJoined(code: Code | RelayCode | undefined): void {
    if (!this.lines || (code && FINAL.includes(code))) return this.failed(code);
    this.dropComing(false);
    this.failures += 1;
    this.later();
  }

  /** The session is of no use: join anew, with pauses, as long as the visit lasts. */
  private failed(code: Code | RelayCode | undefined): void {
    this.failures += 1;
    const before = this.state.peek();
    const since = "since" in before ? before.since : (this.pulse?.grewAt ?? Date.now());
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
    clearInterval(this.watch);
    this.dropComing(goodbye);
    const { lines, session } = this;
    this.lines = undefined;
    this.session = undefined;
    this.pulse = undefined;
    this.lastRestartAt = undefined;
    this.own.putOn(undefined);
    this.seating.begin(undefined);
    if (goodbye && session) void relay.leave(session).then(() => lines?.peer.close());
    else lines?.peer.close();
  }

  private readonly networkChanged = (): void => {
    if (this.lines) void this.mend();
    else if (this.state.peek().type === "gone") {
      this.noRetry();
      void this.connect();
    }
  };

  private readonly pageHides = (event: PageTransitionEvent): void => {
    // A page that is kept for the way back keeps its session too: ICE consent ends it if need be.
    if (event.persisted) return;
    for (const session of [this.session, this.coming?.session]) {
      if (session) void relay.leave(session);
    }
  };
}
