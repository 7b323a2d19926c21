// What of a call is heard on this screen: the others' sound, once the browser plays it, and the waves.

import { signal } from "@preact/signals";
import type { WaveBlock } from "../wire/types";

export class Hearing {
  /** Whether others are heard here. A second screen in the room begins silent. */
  readonly speaker = signal(true);
  readonly companion = signal(false);
  /** The browser plays sound only after a tap. */
  readonly needsTap = signal(false);
  /** How loud a stethoscope is heard, beside the voices: 0 to 1. */
  readonly chestVolume = signal(1);
  private companionSettled = false;
  private readonly taps = new Set<() => void>();
  private readonly waveEars = new Set<(block: WaveBlock) => void>();

  /** Answers whether this has just become a second screen in the room. What the person switched on
   * later stays on through a reconnection. */
  settle(companion: boolean): boolean {
    this.companion.value = companion;
    if (this.companionSettled) return false;
    this.companionSettled = true;
    if (companion) this.speaker.value = false;
    return companion;
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

  /** Hears the waves of the visit until the returned function is called. */
  onWave(ear: (block: WaveBlock) => void): () => void {
    this.waveEars.add(ear);
    return () => this.waveEars.delete(ear);
  }

  /** A message of the waves' channel. */
  wave(data: ArrayBuffer): void {
    if (this.waveEars.size === 0) return;
    const block = JSON.parse(new TextDecoder().decode(data)) as WaveBlock;
    for (const ear of this.waveEars) ear(block);
  }
}
