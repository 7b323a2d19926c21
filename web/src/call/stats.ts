// What the browser counts about a connection, as far as the watchdog wants to know.

import type { Lines } from "./offer";

export interface Measured {
  bytes: number;
  frames: ReadonlyMap<number, number>;
  /** How long the way to the relay and back took when that was last measured. */
  trip_ms: number | undefined;
}

/** Bytes received on all lines, and decoded frames by slot. */
export async function measure(lines: Lines): Promise<Measured> {
  const report = await lines.peer.getStats();
  const slotByTrack = new Map(lines.slots.map((slot, index) => [slot.video.track.id, index]));
  const frames = new Map<number, number>();
  let bytes = 0;
  let trip_ms: number | undefined;
  for (const entry of report.values()) {
    // Reports of what was sent would tell it too, but on a full line they are lost for half a minute.
    if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime > 0) {
      trip_ms = Number(entry.currentRoundTripTime) * 1_000;
    }
    if (entry.type !== "inbound-rtp") continue;
    bytes += Number(entry.bytesReceived ?? 0);
    const slot = slotByTrack.get(entry.trackIdentifier);
    if (entry.kind === "video" && slot !== undefined) {
      frames.set(slot, Number(entry.framesDecoded ?? 0));
    }
  }
  return { bytes, frames, trip_ms };
}
