// The connection that carries the call: watched four times a second, and its path mended by an ICE restart
// with the session's own secret, which works without signaling.

import type { Code, RelayCode } from "../wire/types";
import { describe } from "./audio-nack";
import type { Lines } from "./offer";
import * as relay from "./relay";
import { measure } from "./stats";
import { advise, feel, isStalled, type Pulse, RESTART_PAUSE_MS, UNREACHED_PAUSE_MS } from "./watchdog";

const WATCH_MS = 250;

/** Who is told how the connection stands. */
export interface Keeper {
  /** Somebody sends sound or a picture: then bytes must come. */
  hasCompany(): boolean;
  /** Whether the broker is heard, without which no other session can be had. */
  brokerHeard(): boolean;
  /** Media comes. */
  flows(): void;
  /** Nothing has come for a while. */
  stalls(now: number): void;
  /** Nothing has come since; the path is being mended. */
  mends(since: number): void;
  /** Decoded frames by slot. */
  counted(frames: ReadonlyMap<number, number>, now: number): void;
  /** Nothing comes and nothing mends it. */
  silent(): Promise<void>;
  /** The relay could not be asked. */
  unreached(): void;
  /** The session is of no use any more. */
  lost(code: Code | RelayCode | undefined): void;
}

export class Kept {
  private pulse: Pulse = { bytes: 0, grewAt: Date.now() };
  private lastRestartAt: number | undefined;
  private restarting = false;
  private isDropped = false;
  private readonly watch: ReturnType<typeof setInterval>;

  constructor(
    readonly lines: Lines,
    readonly session: relay.RelaySession | undefined,
    private readonly keeper: Keeper,
  ) {
    this.watch = setInterval(() => void this.look(), WATCH_MS);
  }

  /** When something was last heard. */
  get heardAt(): number {
    return this.pulse.grewAt;
  }

  get isUp(): boolean {
    return this.lines.peer.connectionState === "connected";
  }

  drop(goodbye: boolean): void {
    this.isDropped = true;
    clearInterval(this.watch);
    const { peer } = this.lines;
    if (goodbye && this.session) void relay.leave(this.session).then(() => peer.close());
    else peer.close();
  }

  /** Does media flow, do pictures move, what is to be done? */
  private async look(): Promise<void> {
    const { bytes, frames, trip_ms } = await measure(this.lines);
    if (this.isDropped) return;
    const now = Date.now();
    this.lines.terms.feel(trip_ms, now);
    this.pulse = feel(this.pulse, bytes, now);
    this.keeper.counted(frames, now);
    if (this.pulse.grewAt === now && this.isUp) this.keeper.flows();
    const known = {
      pulse: this.pulse,
      company: this.keeper.hasCompany(),
      ice: this.lines.peer.iceConnectionState,
      lastRestartAt: this.lastRestartAt,
      brokerHeard: this.keeper.brokerHeard(),
      now,
    };
    if (!isStalled(known)) return;
    this.keeper.stalls(now);
    const advice = advise(known);
    if (advice === "restart") await this.mend();
    if (advice === "rejoin") await this.keeper.silent();
  }

  async mend(): Promise<void> {
    const { session } = this;
    if (!session || this.restarting) return;
    this.restarting = true;
    this.lastRestartAt = Date.now();
    this.keeper.mends(this.pulse.grewAt);
    try {
      await this.restart(session);
    } catch {
      if (!this.isDropped) this.keeper.lost(undefined);
    } finally {
      this.restarting = false;
    }
  }

  private async restart(session: relay.RelaySession): Promise<void> {
    const { peer, voice } = this.lines;
    await voice.settled();
    peer.restartIce();
    const reply = await relay.restart(session, await describe(peer));
    if (this.isDropped) return;
    if (reply.type === "ok") {
      await voice.answered(reply.value.sdp);
      return;
    }
    await peer.setLocalDescription({ type: "rollback" });
    if (this.isDropped) return;
    if (reply.type === "unreachable") {
      this.lastRestartAt = Date.now() - RESTART_PAUSE_MS + UNREACHED_PAUSE_MS;
      this.keeper.unreached();
    }
    if (reply.type === "refused" && reply.code !== "unavailable") this.keeper.lost(reply.code);
  }
}
