// What the broker shows this screen: one map of rows a view, kept in step by version and hash.

import { type Signal, signal } from "@preact/signals";
import { rowHash } from "./hash";
import type {
  AlertRow,
  DeviceRow,
  DoctorRow,
  Have,
  HeldRow,
  KitRow,
  PlaceRow,
  RoomRow,
  Row,
  TicketRow,
  ToScreen,
  ViewName,
  VisitRow,
} from "./types";

/** Which rows are in which view. */
export interface RowOf {
  rooms: RoomRow;
  tickets: TicketRow;
  doctors: DoctorRow;
  visits: VisitRow;
  place: PlaceRow;
  devices: DeviceRow;
  alerts: AlertRow;
  held: HeldRow;
  kits: KitRow;
}

export type ViewMessage = Extract<ToScreen, { type: "view" }>;

/** What became of a message. */
export type Applied = "applied" | "resync" | "mismatch";

const NAMES: ViewName[] = [
  "rooms",
  "tickets",
  "doctors",
  "visits",
  "place",
  "devices",
  "alerts",
  "held",
  "kits",
];

/** A row's name within its table, as the broker makes it. */
export function rowKey(row: Row): string {
  switch (row.row) {
    case "room":
      return row.room;
    case "ticket":
    case "place":
      return row.ticket;
    case "doctor":
      return row.staff;
    case "visit":
      return row.visit;
    case "device":
      return row.status.device;
    case "alert":
      return row.alert;
    case "held":
      return row.reading;
    case "kit":
      return row.kit;
  }
}

class View<R> {
  readonly rows: Signal<ReadonlyMap<string, R>> = signal(new Map());
  /** The broker has sent it at least once since the page was opened. */
  readonly known: Signal<boolean> = signal(false);
  private hashes = new Map<string, number>();
  private at: Have | undefined;
  private askedAgain = false;

  have(): Have | undefined {
    return this.at;
  }

  forget(): void {
    this.rows.value = new Map();
    this.known.value = false;
    this.hashes = new Map();
    this.at = undefined;
    this.askedAgain = false;
  }

  apply(message: ViewMessage): Applied {
    const follows = this.at?.epoch === message.epoch && this.at.version + 1 === message.version;
    if (!message.whole && !follows) return "resync";

    const rows = new Map<string, R>(message.whole ? [] : this.rows.value);
    const hashes = new Map<string, number>(message.whole ? [] : this.hashes);
    for (const key of message.remove) {
      rows.delete(key);
      hashes.delete(key);
    }
    for (const row of message.upsert) {
      const key = rowKey(row);
      rows.set(key, row as R);
      hashes.set(key, rowHash(row));
    }
    let hash = 0;
    for (const part of hashes.values()) hash = (hash + part) >>> 0;

    const fits = hash === message.hash;
    // What does not add up is not shown, except when the whole view was just sent on our asking:
    // then asking again would never end, and the newest rows are the most truthful ones.
    if (!fits && !(message.whole && this.askedAgain)) {
      this.askedAgain = true;
      return "resync";
    }
    this.askedAgain = !fits;
    this.rows.value = rows;
    this.hashes = hashes;
    this.at = { view: message.view, epoch: message.epoch, version: message.version, hash: message.hash };
    this.known.value = true;
    return fits ? "applied" : "mismatch";
  }
}

/** All views of one screen. */
export class Views {
  private readonly tables = new Map<ViewName, View<unknown>>(
    NAMES.map((name) => [name, new View<unknown>()]),
  );

  private table(name: ViewName): View<unknown> {
    let table = this.tables.get(name);
    if (!table) {
      table = new View<unknown>();
      this.tables.set(name, table);
    }
    return table;
  }

  /** The rows by key; subscribes whoever reads it inside a component. */
  rows<N extends ViewName>(name: N): ReadonlyMap<string, RowOf[N]> {
    return this.table(name).rows.value as ReadonlyMap<string, RowOf[N]>;
  }

  /** Whether the broker has sent this view since the page was opened. */
  known(name: ViewName): boolean {
    return this.table(name).known.value;
  }

  /** For the first message after a reconnection. */
  have(): Have[] {
    return [...this.tables.values()].map((table) => table.have()).filter((have) => have !== undefined);
  }

  /** Forgets everything: what was on this screen is not for whoever sits before it now. */
  forget(): void {
    for (const name of NAMES) this.table(name).forget();
  }

  apply(message: ViewMessage): Applied {
    return this.table(message.view).apply(message);
  }
}
