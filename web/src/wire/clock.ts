// The broker's time on this screen, so that "3 minutes old" is true on a tablet with a wrong clock.

import { type Signal, signal } from "@preact/signals";

const SAMPLES = 8;

export class ServerClock {
  /** The broker's time in milliseconds since 1970, moved on once a second. */
  readonly now: Signal<number>;
  private readonly samples: number[] = [];
  private offset = 0;

  constructor(private readonly here: () => number) {
    this.now = signal(here());
  }

  /** A message that carried the broker's time has just arrived. */
  heard(serverNow: number): void {
    // Travel makes a message older, never younger: the largest difference is the nearest to truth.
    this.samples.push(serverNow - this.here());
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.offset = Math.max(...this.samples);
    this.tick();
  }

  /** The broker's time at this moment. */
  read(): number {
    return this.here() + this.offset;
  }

  tick(): void {
    this.now.value = this.read();
  }
}
