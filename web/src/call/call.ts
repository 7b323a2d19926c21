// One screen's place in the call: joins at the relay, follows its slot map, mends the path by
// itself, and says truthfully what is heard and seen.

import { type Signal, signal } from "@preact/signals";
import type { Code, FromPage, MediaGrant, RelayCode, Slot, SlotMap, ToPage, VideoWish, WaveBlock } from "../wire/types";
import type { Wire } from "../wire/wire";
import { type Caught, catchCamera, catchMedia, type MediaFault, release } from "./devices";
import { type Lines, openLines } from "./offer";
import * as relay from "./relay";
import { advise, feel, Frames, type Pulse } from "./watchdog";

const WATCH_MS = 500;
/** Pauses between attempts to join: the first, the longest. */
const REJOIN_MS = { first: 500, most: 8_000 };
/** Tokens that were refused in a row before the person is told; the attempts go on. */
const REFUSALS_BEFORE_TELLING = 3;

export type CallState =
  | { type: "idle" }
  /** The browser asks for camera and microphone. */
  | { type: "asking" }
  | { type: "connecting" }
  | { type: "live" }
  /** Nothing is heard since; the path is being mended. */
  | { type: "restarting"; since: number }
  /** The session at the relay is gone; it is joined anew as long as the visit lasts. */
  | { type: "gone"; since: number; code: Code | RelayCode | undefined };

/** Somebody else in the call. */
export interface Seat {
  index: number;
  participant: string;
  role: Slot["role"];
  stream: MediaStream;
  /** Sound, picture has been coming lately. */
  audio: boolean;
  video: boolean;
  /** The picture stands still since, in the screen's own time. */
  frozenSince: number | undefined;
}

export class Call {
  readonly state: Signal<CallState> = signal<CallState>({ type: "idle" });
  readonly seats: Signal<readonly Seat[]> = signal<readonly Seat[]>([]);
  /** Whose stethoscope is on the line, and its sound. */
  readonly auscultation: Signal<{ of: string; stream: MediaStream } | undefined> = signal(undefined);
  /** Own microphone and camera. */
  readonly self: Signal<MediaStream | undefined> = signal(undefined);
  readonly faults: Signal<{ audio?: MediaFault; video?: MediaFault }> = signal({});
  readonly microphone = signal(true);
  readonly camera = signal(true);
  /** Whether others are heard here. A second screen in the room begins silent. */
  readonly speaker = signal(true);
  readonly companion = signal(false);
  /** The browser plays sound only after a tap. */
  readonly needsTap = signal(false);

  private visit: string | undefined;
  private lines: Lines | undefined;
  private session: relay.RelaySession | undefined;
  private map: SlotMap | undefined;
  private readonly streams = new Map<number, MediaStream>();
  private readonly frames = new Frames();
  private readonly frozen = new Map<number, number>();
  private pulse: Pulse | undefined;
  private lastRestartAt: number | undefined;
  private restarting = false;
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
    this.camera.value = options.video;
  }

  /** Enters the call of a visit and stays in it until `leave`. */
  async join(visit: string): Promise<void> {
    if (this.visit === visit) return;
    this.visit = visit;
    window.addEventListener("online", this.networkChanged);
    window.addEventListener("pagehide", this.pageHides);
    navigator.mediaDevices?.addEventListener?.("devicechange", this.devicesChanged);
    await this.catchOwn();
    if (this.visit === visit) await this.connect();
  }

  /** Leaves the call and lets go of camera and microphone. */
  leave(): void {
    this.visit = undefined;
    window.removeEventListener("online", this.networkChanged);
    window.removeEventListener("pagehide", this.pageHides);
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.devicesChanged);
    clearTimeout(this.retry);
    this.letGo(true);
    release(this.self.value);
    this.self.value = undefined;
    this.state.value = { type: "idle" };
  }

  setMicrophone(on: boolean): void {
    this.microphone.value = on;
    for (const track of this.self.value?.getAudioTracks() ?? []) track.enabled = on;
  }

  async setCamera(on: boolean): Promise<void> {
    this.camera.value = on;
    const held = this.self.value?.getVideoTracks()[0];
    if (!on) {
      // Letting go of it switches its light off: "off" is seen to be off.
      if (held) this.self.value?.removeTrack(held);
      held?.stop();
      await this.lines?.camera.replaceTrack(null);
      this.self.value = this.self.value && new MediaStream(this.self.value.getTracks());
      return;
    }
    if (held?.readyState === "live") return;
    const track = await catchCamera();
    if (typeof track === "string") {
      this.camera.value = false;
      this.faults.value = { ...this.faults.value, video: track };
      return;
    }
    this.self.value = new MediaStream([...(this.self.value?.getAudioTracks() ?? []), track]);
    await this.lines?.camera.replaceTrack(track);
  }

  setSpeaker(on: boolean): void {
    this.speaker.value = on;
  }

  /** How much picture this screen wants of somebody. Sound is not affected. */
  want(participant: string, video: VideoWish): void {
    const wish: FromPage = { type: "want_video", participant, video };
    const channel = this.lines?.slotsChannel;
    if (channel?.readyState === "open") channel.send(JSON.stringify(wish));
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

  /** Asks for camera and microphone again, after the person allowed them in the settings. */
  async askAgain(): Promise<void> {
    await this.catchOwn();
    const [audio, video] = [this.self.value?.getAudioTracks()[0], this.self.value?.getVideoTracks()[0]];
    await this.lines?.microphone.replaceTrack(audio ?? null);
    await this.lines?.camera.replaceTrack(video ?? null);
  }

  private async catchOwn(): Promise<void> {
    this.state.value = { type: "asking" };
    release(this.self.value);
    const caught: Caught = await catchMedia(this.camera.value);
    this.self.value = caught.stream;
    this.faults.value = {
      ...(caught.audioFault && { audio: caught.audioFault }),
      ...(caught.videoFault && { video: caught.videoFault }),
    };
    if (caught.audioFault) this.microphone.value = false;
    if (caught.videoFault) this.camera.value = false;
    this.setMicrophone(this.microphone.value);
    // A carrier's call ends the microphone for good: catch it anew when it is over.
    for (const track of caught.stream.getAudioTracks()) {
      track.onended = () => void this.recatchMicrophone();
    }
    if (this.lines) this.state.value = { type: "live" };
  }

  private async recatchMicrophone(): Promise<void> {
    if (!this.visit) return;
    const caught = await catchMedia(false);
    const track = caught.stream.getAudioTracks()[0];
    if (!track) {
      this.faults.value = { ...this.faults.value, audio: caught.audioFault ?? "missing" };
      return;
    }
    track.enabled = this.microphone.value;
    track.onended = () => void this.recatchMicrophone();
    this.self.value = new MediaStream([track, ...(this.self.value?.getVideoTracks() ?? [])]);
    await this.lines?.microphone.replaceTrack(track);
  }

  /** Gets a token, makes the one offer and takes the answer. */
  private async connect(): Promise<void> {
    const visit = this.visit;
    if (!visit) return;
    if (this.state.peek().type !== "gone") this.state.value = { type: "connecting" };
    const answer = await this.wire.act({ type: "join_media", visit });
    if (this.visit !== visit) return;
    if (answer.type !== "done" || answer.outcome.type !== "media") {
      return this.failed(answer.type === "refused" ? answer.code : undefined);
    }
    this.beCompanion(answer.outcome.companion);
    await this.negotiate(visit, answer.outcome);
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
    this.letGo(false);
    const lines = openLines(this.options.staff, this.self.value ?? new MediaStream());
    this.lines = lines;
    this.listen(lines);
    await lines.peer.setLocalDescription();
    const sdp = lines.peer.localDescription?.sdp ?? "";
    const reply = await relay.join(grant.relay_url, grant.token, sdp);
    if (this.visit !== visit || this.lines !== lines) return;
    if (reply.type !== "ok") return this.failed(reply.type === "refused" ? reply.code : undefined);
    this.session = relay.sessionOf(grant.relay_url, reply.value);
    await lines.peer.setRemoteDescription({ type: "answer", sdp: reply.value.sdp });
    this.pulse = { bytes: 0, grewAt: Date.now() };
    this.watch = setInterval(() => void this.look(), WATCH_MS);
  }

  private listen(lines: Lines): void {
    lines.slotsChannel.onmessage = (event: MessageEvent) => {
      if (this.lines === lines) this.take(JSON.parse(String(event.data)) as ToPage);
    };
    lines.wavesChannel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (this.lines === lines) this.hearWave(event.data);
    };
    lines.peer.onconnectionstatechange = () => {
      if (this.lines !== lines || lines.peer.connectionState !== "connected") return;
      this.failures = 0;
      this.state.value = { type: "live" };
    };
  }

  private take(message: ToPage): void {
    if (this.map && message.version < this.map.version) return;
    const before = new Map(this.map?.slots.map((slot) => [slot.index, slot.participant]));
    for (const slot of message.slots) {
      if (before.get(slot.index) === slot.participant) continue;
      this.frames.forget(slot.index);
      this.frozen.delete(slot.index);
    }
    this.map = message;
    const stream = this.lines && new MediaStream([this.lines.auscultation.track]);
    const held = this.auscultation.peek();
    if (held?.of !== (message.auscultation ?? undefined)) {
      this.auscultation.value =
        message.auscultation && stream ? { of: message.auscultation, stream } : undefined;
    }
    this.publishSeats();
  }

  private hearWave(data: ArrayBuffer): void {
    if (this.waveEars.size === 0) return;
    const block = JSON.parse(new TextDecoder().decode(data)) as WaveBlock;
    for (const ear of this.waveEars) ear(block);
  }

  private publishSeats(): void {
    const lines = this.lines;
    if (!lines) {
      this.seats.value = [];
      return;
    }
    // The gateway has no face.
    const people = (this.map?.slots ?? []).filter((slot) => slot.role !== "gateway");
    this.seats.value = people.map((slot) => ({
      ...slot,
      stream: this.streamOf(lines, slot.index),
      frozenSince: slot.video ? this.frozen.get(slot.index) : undefined,
    }));
  }

  private streamOf(lines: Lines, index: number): MediaStream {
    const held = this.streams.get(index);
    if (held) return held;
    const line = lines.slots[index];
    const made = new MediaStream(line ? [line.audio.track, line.video.track] : []);
    this.streams.set(index, made);
    return made;
  }

  /** Twice a second: does media flow, do pictures move, what is to be done? */
  private async look(): Promise<void> {
    const lines = this.lines;
    if (!lines) return;
    const { bytes, frames } = await measure(lines);
    if (this.lines !== lines) return;
    const now = Date.now();
    this.pulse = feel(this.pulse, bytes, now);
    this.followFrames(frames, now);
    const advice = advise({
      pulse: this.pulse,
      company: (this.map?.slots ?? []).some((slot) => slot.audio || slot.video),
      iceFailed: ["disconnected", "failed"].includes(lines.peer.iceConnectionState),
      lastRestartAt: this.lastRestartAt,
      now,
    });
    const mended = this.state.peek().type === "restarting" && this.pulse.grewAt === now;
    if (mended && lines.peer.connectionState === "connected") this.state.value = { type: "live" };
    if (advice === "restart") await this.mend();
    if (advice === "rejoin") this.failed(undefined);
  }

  private followFrames(frames: ReadonlyMap<number, number>, now: number): void {
    let changed = false;
    for (const [index, count] of frames) {
      const since = this.frames.frozenSince(index, count, now);
      if (since === this.frozen.get(index)) continue;
      changed = true;
      if (since === undefined) this.frozen.delete(index);
      else this.frozen.set(index, since);
    }
    if (changed) this.publishSeats();
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
      lines.peer.restartIce();
      await lines.peer.setLocalDescription(await lines.peer.createOffer());
      const reply = await relay.restart(session, lines.peer.localDescription?.sdp ?? "");
      if (this.lines !== lines) return;
      if (reply.type === "ok") {
        await lines.peer.setRemoteDescription({ type: "answer", sdp: reply.value.sdp });
        return;
      }
      await lines.peer.setLocalDescription({ type: "rollback" });
      if (reply.type === "refused" && reply.code !== "unavailable") this.failed(reply.code);
    } finally {
      this.restarting = false;
    }
  }

  /** The session is of no use: join anew, with pauses, as long as the visit lasts. */
  private failed(code: Code | RelayCode | undefined): void {
    this.failures += 1;
    const since = this.state.peek();
    const gone = "since" in since ? since.since : (this.pulse?.grewAt ?? Date.now());
    this.letGo(false);
    const tell = this.failures >= REFUSALS_BEFORE_TELLING ? code : undefined;
    this.state.value = { type: "gone", since: gone, code: tell };
    if (code === "visit_over" || code === "visit_unknown" || code === "not_present") return;
    const pause = Math.min(REJOIN_MS.most, REJOIN_MS.first * 2 ** (this.failures - 1));
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), pause * (0.75 + Math.random() / 2));
  }

  private letGo(goodbye: boolean): void {
    clearInterval(this.watch);
    const { lines, session } = this;
    this.lines = undefined;
    this.session = undefined;
    this.map = undefined;
    this.pulse = undefined;
    this.lastRestartAt = undefined;
    this.streams.clear();
    this.frozen.clear();
    this.auscultation.value = undefined;
    this.publishSeats();
    if (goodbye && session) relay.leave(session);
    lines?.peer.close();
  }

  private readonly networkChanged = (): void => {
    if (this.lines && this.state.peek().type !== "gone") void this.mend();
    else if (this.visit && !this.lines) {
      clearTimeout(this.retry);
      void this.connect();
    }
  };

  private readonly pageHides = (event: PageTransitionEvent): void => {
    // A page that is kept for the way back keeps its session too: ICE consent ends it if need be.
    if (!event.persisted && this.session) relay.leave(this.session);
  };

  private readonly devicesChanged = (): void => {
    const audio = this.self.value?.getAudioTracks()[0];
    if (audio?.readyState === "ended") void this.recatchMicrophone();
  };
}

interface Measured {
  bytes: number;
  frames: ReadonlyMap<number, number>;
}

async function measure(lines: Lines): Promise<Measured> {
  const report = await lines.peer.getStats();
  const slotByTrack = new Map(lines.slots.map((slot, index) => [slot.video.track.id, index]));
  const frames = new Map<number, number>();
  let bytes = 0;
  for (const entry of report.values()) {
    if (entry.type !== "inbound-rtp") continue;
    bytes += Number(entry.bytesReceived ?? 0);
    const slot = slotByTrack.get(entry.trackIdentifier);
    if (entry.kind === "video" && slot !== undefined) {
      frames.set(slot, Number(entry.framesDecoded ?? 0));
    }
  }
  return { bytes, frames };
}
