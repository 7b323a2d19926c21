// Verbs on their way: each has a random key, and the same key is sent again after every
// reconnection until the broker has answered, so that a press counts exactly once.

import { type Signal, signal } from "@preact/signals";
import type { Act, Code, Outcome } from "./types";

/** A verb that never left this screen is given up after this long, unless it may wait. */
export const UNSENT_LIFE_MS = 20_000;
/** Verbs that wait for a link; a further press is told `not_sent` at once. */
export const PENDING_MAX = 64;

/** What became of a press. */
export type Answer =
  | { type: "done"; outcome: Outcome }
  | { type: "refused"; code: Code; by: string | null }
  /** It never left this screen: nothing has happened. */
  | { type: "not_sent" };

/** A verb that has no answer yet: shown as 未送信 where it matters. */
export interface Pending {
  readonly key: string;
  readonly act: Act;
  /** The screen's own time of the press. */
  readonly since: number;
  /** Left this screen at least once: its fate is the broker's. */
  readonly sent: boolean;
}

interface Waiting extends Pending {
  readonly mayWait: boolean;
  readonly settle: (answer: Answer) => void;
}

export class Acts {
  /** All verbs without an answer, oldest first. */
  readonly pending: Signal<readonly Pending[]> = signal([]);
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly now: () => number,
    private readonly newKey: () => string,
  ) {}

  /** Takes a verb; `send` is called now if there is a link, and after each reconnection. */
  add(act: Act, mayWait: boolean, send: (key: string, act: Act) => boolean): Promise<Answer> {
    if (this.waiting.size >= PENDING_MAX) return Promise.resolve({ type: "not_sent" });
    const key = this.newKey();
    return new Promise((settle) => {
      const sent = send(key, act);
      this.waiting.set(key, { key, act, since: this.now(), sent, mayWait, settle });
      this.publish();
    });
  }

  /** The link is back: everything without an answer goes out again, in the order of the presses. */
  resend(send: (key: string, act: Act) => boolean): void {
    this.expire();
    for (const held of [...this.waiting.values()]) {
      if (send(held.key, held.act)) this.waiting.set(held.key, { ...held, sent: true });
    }
    this.publish();
  }

  settle(key: string, answer: Answer): void {
    const held = this.waiting.get(key);
    if (!held) return;
    this.waiting.delete(key);
    this.publish();
    held.settle(answer);
  }

  /** Gives up what never left this screen and may not wait. Call it now and then. */
  expire(): void {
    for (const held of [...this.waiting.values()]) {
      const old = this.now() - held.since > UNSENT_LIFE_MS;
      if (old && !held.sent && !held.mayWait) this.settle(held.key, { type: "not_sent" });
    }
  }

  /**
   * These are not sent again: they are overtaken. One that left this screen may have been done all the
   * same, and its answer says so.
   */
  giveUp(overtaken: (one: Pending) => boolean): void {
    for (const held of [...this.waiting.values()]) {
      if (!overtaken(held)) continue;
      const unknown: Answer = { type: "refused", code: "outcome_unknown", by: null };
      this.settle(held.key, held.sent ? unknown : { type: "not_sent" });
    }
  }

  /** The session is over: nothing will be answered any more. */
  abandon(code: Code): void {
    for (const key of [...this.waiting.keys()]) {
      this.settle(key, { type: "refused", code, by: null });
    }
  }

  private publish(): void {
    this.pending.value = [...this.waiting.values()].map(({ key, act, since, sent }) => ({
      key,
      act,
      since,
      sent,
    }));
  }
}
