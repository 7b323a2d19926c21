// A connection on its way: negotiated beside the one in use, which goes on until this one is ready.

import type { MediaGrant, SlotMap } from "../wire/types";
import { describe } from "./audio-nack";
import { iceServers } from "./ice-servers";
import { type Lines, openLines } from "./offer";
import * as relay from "./relay";
import { measure } from "./stats";

/** Media is up by then, or the connection is used as it is and looked after. */
const UP_MS_MAX = 5_000;
/** What still flows elsewhere goes on until pictures come here too, or for so long. */
const OVERLAP_MS = { look: 50, most: 1_500 };

export class Coming {
  readonly lines: Lines;
  session: relay.RelaySession | undefined;
  /** Who sits where, if it was said already. */
  map: SlotMap | undefined;
  private readonly up: Promise<void>;

  constructor(
    staff: boolean,
    stream: MediaStream | undefined,
    private readonly grant: MediaGrant,
  ) {
    this.lines = openLines(staff, stream ?? new MediaStream(), iceServers(grant.turn, location));
    const { peer } = this.lines;
    this.up = new Promise((is) => {
      peer.addEventListener("connectionstatechange", () => this.isUp && is());
    });
  }

  get isUp(): boolean {
    return this.lines.peer.connectionState === "connected";
  }

  /** Makes the one offer and takes the answer. */
  async negotiate(): Promise<relay.RelayReply<unknown>> {
    const { peer } = this.lines;
    const { relay_url, token } = this.grant;
    const reply = await relay.join(relay_url, token, await describe(peer));
    // Dropped meanwhile: the relay forgets whoever does not come.
    if (reply.type !== "ok" || peer.signalingState === "closed") return reply;
    this.session = relay.sessionOf(relay_url, reply.value);
    await this.lines.voice.answered(reply.value.sdp);
    return reply;
  }

  /** Waits until media is up and, as long as another connection still flows, until pictures come. */
  async ready(anotherFlows: () => boolean): Promise<void> {
    await Promise.race([this.up, pause(UP_MS_MAX)]);
    const end = Date.now() + OVERLAP_MS.most;
    while (anotherFlows() && Date.now() < end) {
      const { frames } = await measure(this.lines);
      if ([...frames.values()].some((count) => count > 0)) return;
      await pause(OVERLAP_MS.look);
    }
  }

  /** It is not needed after all. */
  drop(goodbye: boolean): void {
    const { peer } = this.lines;
    if (goodbye && this.session) void relay.leave(this.session).then(() => peer.close());
    else peer.close();
  }
}

export const pause = (ms: number) => new Promise<void>((over) => setTimeout(over, ms));
