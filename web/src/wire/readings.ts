// What was measured, once each and in the order of the broker's cursor.

import { type Signal, signal } from "@preact/signals";
import type { ReadingRow } from "./types";

/** Rows kept for one subject; beyond, the oldest leave the page (the broker keeps them all). */
export const READINGS_ROWS_MAX = 7_200;

/**
 * Rows from elsewhere for one subject and one device; beyond, the oldest of that device leave the page
 * (the box keeps them all). An oximeter fills it in twenty minutes, and pushes out no cuff's.
 */
export const BESIDE_ROWS_MAX = 1_200;

class Subject {
  readonly rows: Signal<readonly ReadingRow[]> = signal([]);
  /** From elsewhere than the broker, while it is away. */
  readonly beside: Signal<readonly ReadingRow[]> = signal([]);
  cursor = 0;
  watchers = 0;
}

export class Readings {
  /** What comes from elsewhere reaches the broker by itself: only this page does not hear it from there. */
  readonly besideReaches: Signal<boolean> = signal(false);
  private readonly subjects = new Map<string, Subject>();
  private readonly notTheBrokers = new WeakSet<ReadingRow>();

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
    const held = this.subject(subject);
    const [own, beside] = [held.rows.value, held.beside.value];
    if (beside.length === 0) return own;
    // What the broker has, it shows: with what people said of it.
    const known = new Set(own.map((row) => row.outcome.id));
    return [...own, ...beside.filter((row) => !known.has(row.outcome.id))];
  }

  /** Whether a row came from elsewhere, so that the doctor may not have it. */
  isBeside(row: ReadingRow): boolean {
    return this.notTheBrokers.has(row);
  }

  /** Takes a row from elsewhere; one that came before is dropped. */
  takeBeside(subject: string, row: ReadingRow): void {
    const into = this.subject(subject);
    if (into.beside.peek().some((one) => one.outcome.id === row.outcome.id)) return;
    this.notTheBrokers.add(row);
    const { id } = row.outcome.device;
    const own = into.beside.peek().filter(({ outcome }) => outcome.device.id === id);
    const oldest = own.length >= BESIDE_ROWS_MAX ? own[0] : undefined;
    into.beside.value = [...into.beside.peek().filter((one) => one !== oldest), row];
  }

  /** The broker has all of it, or says itself what is shown. */
  forgetBeside(): void {
    for (const [subject, held] of [...this.subjects]) {
      held.beside.value = [];
      if (held.watchers <= 0) this.subjects.delete(subject);
    }
  }

  /** The last row that this screen has. */
  cursor(subject: string): number {
    return this.subject(subject).cursor;
  }

  /**
   * Takes what is new; a row that came before stands in its own place, with what was put beside it
   * since. `whole`: something is held back, or shown
   * again, so what was there is forgotten.
   */
  take(subject: string, rows: readonly ReadingRow[], whole = false): void {
    const into = this.subjects.get(subject);
    // On its way when the last watcher left: nothing of a patient comes back by itself.
    if (!into || into.watchers <= 0) return;
    if (whole) {
      into.cursor = 0;
      into.rows.value = [];
      into.beside.value = [];
    }
    const known = new Map(rows.filter((row) => row.seq <= into.cursor).map((row) => [row.seq, row]));
    if (known.size > 0) into.rows.value = into.rows.value.map((row) => known.get(row.seq) ?? row);
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
    if (leaving.watchers > 0) return;
    if (leaving.beside.peek().length === 0) {
      this.subjects.delete(subject);
      return;
    }
    // Nobody could bring these again before the broker is back.
    leaving.rows.value = [];
    leaving.cursor = 0;
  }

  /** Whom somebody watches, for a new connection. */
  watched(): { subject: string; after: number }[] {
    return [...this.subjects]
      .filter(([, held]) => held.watchers > 0)
      .map(([subject, held]) => ({ subject, after: held.cursor }));
  }
}
