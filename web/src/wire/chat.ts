// The written words of a visit, once each and in the order of the broker's cursor.

import { type Signal, signal } from "@preact/signals";
import type { ChatLine } from "./types";

/** Lines kept for one visit; beyond, the oldest leave the page. */
export const CHAT_LINES_MAX = 1_000;

interface Held {
  readonly lines: Signal<readonly ChatLine[]>;
  watchers: number;
}

export class Chats {
  private readonly visits = new Map<string, Held>();

  private held(visit: string): Held {
    let held = this.visits.get(visit);
    if (!held) {
      held = { lines: signal<readonly ChatLine[]>([]), watchers: 0 };
      this.visits.set(visit, held);
    }
    return held;
  }

  /** Lines of a visit, oldest first; subscribes whoever reads it inside a component. */
  lines(visit: string): readonly ChatLine[] {
    return this.held(visit).lines.value;
  }

  /** The last line that this screen has. */
  cursor(visit: string): number {
    return this.held(visit).lines.peek().at(-1)?.seq ?? 0;
  }

  /** Takes what is new; a line that came before is dropped. */
  take(visit: string, lines: readonly ChatLine[]): void {
    const held = this.visits.get(visit);
    // On its way when the last watcher left.
    if (!held || held.watchers <= 0) return;
    const after = this.cursor(visit);
    const fresh = lines.filter((line) => line.seq > after);
    if (fresh.length === 0) return;
    held.lines.value = [...held.lines.value, ...fresh].slice(-CHAT_LINES_MAX);
  }

  watch(visit: string): boolean {
    const held = this.held(visit);
    held.watchers += 1;
    if (held.watchers > 1) return false;
    this.visits.delete(visit);
    this.visits.set(visit, held);
    return true;
  }

  unwatch(visit: string): void {
    const held = this.visits.get(visit);
    if (!held) return;
    held.watchers -= 1;
    if (held.watchers <= 0) this.visits.delete(visit);
  }

  /** The broker follows one visit's chat a screen: the one that was asked for last. */
  newest(): string | undefined {
    return this.watched().at(-1)?.visit;
  }

  watched(): { visit: string; after: number }[] {
    return [...this.visits]
      .filter(([, held]) => held.watchers > 0)
      .map(([visit]) => ({ visit, after: this.cursor(visit) }));
  }
}
