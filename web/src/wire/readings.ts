// What was measured, once each and in the order of the broker's cursor.

import { type Signal, signal } from "@preact/signals";
import type { ReadingRow } from "./types";

/** Rows kept for one subject; beyond, the oldest leave the page (the broker keeps them all). */
export const READINGS_ROWS_MAX = 7_200;

class Subject {
  readonly rows: Signal<readonly ReadingRow[]> = signal([]);
  cursor = 0;
  watchers = 0;
}

export class Readings {
  private readonly subjects = new Map<string, Subject>();

  private subject(id: string): Subject {
    let subject = this.subjects.get(id);
    if (!subject) {
      subject = new Subject();
      this.subjects.set(id, subject);
    }
    return subject;
  }

  /** Rows of a subject, oldest first; subscribes whoever reads it inside a component. */
  rows(subject: string): readonly ReadingRow[] {
    return this.subject(subject).rows.value;
  }

  /** The last row that this screen has. */
  cursor(subject: string): number {
    return this.subject(subject).cursor;
  }

  /**
   * Takes what is new; a row that came before is dropped. `whole`: something is held back, or shown
   * again, so what was there is forgotten.
   */
  take(subject: string, rows: readonly ReadingRow[], whole = false): void {
    const into = this.subjects.get(subject);
    // On its way when the last watcher left: nothing of a patient comes back by itself.
    if (!into || into.watchers <= 0) return;
    if (whole) {
      into.cursor = 0;
      into.rows.value = [];
    }
    const fresh = rows.filter((row) => row.seq > into.cursor);
    if (fresh.length === 0) return;
    into.cursor = fresh.reduce((cursor, row) => Math.max(cursor, row.seq), into.cursor);
    into.rows.value = [...into.rows.value, ...fresh].slice(-READINGS_ROWS_MAX);
  }

  /** Counts who watches; true when this is the first one. */
  watch(subject: string): boolean {
    const held = this.subject(subject);
    held.watchers += 1;
    if (held.watchers > 1) return false;
    this.subjects.delete(subject);
    this.subjects.set(subject, held);
    return true;
  }

  /** The broker follows one subject a screen: the one that was asked for last. */
  newest(): string | undefined {
    return this.watched().at(-1)?.subject;
  }

  /** The last watcher's leaving forgets the rows: nothing of a patient stays without need. */
  unwatch(subject: string): void {
    const leaving = this.subjects.get(subject);
    if (!leaving) return;
    leaving.watchers -= 1;
    if (leaving.watchers <= 0) this.subjects.delete(subject);
  }

  /** Whom somebody watches, for a new connection. */
  watched(): { subject: string; after: number }[] {
    return [...this.subjects]
      .filter(([, held]) => held.watchers > 0)
      .map(([subject, held]) => ({ subject, after: held.cursor }));
  }
}
