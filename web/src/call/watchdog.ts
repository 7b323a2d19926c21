// Decides from packet counts whether media still flows, and from what is known what to do. Pure:
// time is an argument. ICE itself needs 5 to 16 s to notice a dead path.

/** Silence on all lines for so long means that the path is dead: restart ICE. */
export const STALL_MS = 1_500;
/** Between two restarts; a restart over a poor link needs its round trips. */
export const RESTART_PAUSE_MS = 4_000;
/** A relay that could not be reached at all is asked again sooner: one that was started anew answers. */
export const UNREACHED_PAUSE_MS = 1_000;
/** No packet for so long in spite of restarts: the session is as good as gone, join anew. */
export const REJOIN_AFTER_MS = 20_000;
/** A picture without a new frame for so long is said to be frozen. */
export const FROZEN_MS = 2_000;

export type Advice = "well" | "restart" | "rejoin";

export interface Pulse {
  /** Bytes received on the transport since the connection began. */
  bytes: number;
  /** When that number last grew. */
  grewAt: number;
}

/** Moves the pulse on. */
export function feel(before: Pulse | undefined, bytes: number, now: number): Pulse {
  if (before && bytes <= before.bytes) return before;
  return { bytes, grewAt: now };
}

interface Known {
  pulse: Pulse | undefined;
  /** Somebody else is in a slot: then bytes must come. */
  company: boolean;
  ice: RTCIceConnectionState;
  lastRestartAt: number | undefined;
  /** Who gives a new way in is heard. As long as not, the old one may be the first to come back. */
  brokerHeard: boolean;
  now: number;
}

/** Whether nothing comes although something should. */
export function isStalled({ pulse, company, ice, now }: Omit<Known, "lastRestartAt" | "brokerHeard">): boolean {
  if (!pulse) return false;
  // Alone in a call there is only RTCP, every few seconds at worst: then ICE's doubt counts. Where somebody
  // is heard it doubts a line that is full and lossy, and another offer would only fill that the more.
  const silent = company ? now - pulse.grewAt >= STALL_MS : ice === "disconnected";
  return silent || ice === "failed";
}

export function advise(known: Known): Advice {
  const { pulse, lastRestartAt, brokerHeard, now } = known;
  if (!pulse || !isStalled(known)) return "well";
  const silent = now - pulse.grewAt;
  if (silent >= REJOIN_AFTER_MS && brokerHeard) return "rejoin";
  if (lastRestartAt !== undefined && now - lastRestartAt < RESTART_PAUSE_MS) return "well";
  return "restart";
}

/** Frames of each slot's picture: since when none was added. */
export class Frames {
  private readonly seen = new Map<number, { frames: number; grewAt: number }>();

  /** Gives since when the slot's picture stands still, or undefined while it moves. */
  frozenSince(slot: number, frames: number, now: number): number | undefined {
    const before = this.seen.get(slot);
    if (!before || frames > before.frames) {
      this.seen.set(slot, { frames, grewAt: now });
      return undefined;
    }
    return now - before.grewAt >= FROZEN_MS ? before.grewAt : undefined;
  }

  /** Somebody else sits there now. */
  forget(slot: number): void {
    this.seen.delete(slot);
  }
}
