// What the wire's tests share: rows, messages, and a world without a network.

import { rowHash, sumHash } from "./hash";
import type {
  Characteristic,
  Checked,
  DeviceKind,
  FromScreen,
  Quality,
  Quantity,
  ReadingRow,
  RoomRow,
  Row,
  ToScreen,
  Unit,
  You,
} from "./types";
import type { ViewMessage } from "./views";
import { Wire } from "./wire";
import type { World } from "./world";

export function room(key: string, waiting = 0): Row & RoomRow {
  return {
    row: "room",
    room: key,
    name: `待合室 ${key}`,
    clinic: { name: "港島保健センター", phone: "0599-00-0000" },
    intake_closed: false,
    waiting,
    on_duty: 1,
    oldest_wait: null,
  };
}

/** A message whose hash fits `all`, the rows that the broker then has. */
export function view(version: number, all: Row[], part: Partial<ViewMessage> = {}): ViewMessage {
  return {
    type: "view",
    view: "rooms",
    epoch: 1,
    version,
    hash: sumHash(all.map(rowHash)),
    whole: true,
    upsert: all,
    remove: [],
    ...part,
  };
}

interface ReadingParts {
  late?: boolean;
  quarantined?: boolean;
  /** When it was measured, received and stored. */
  at?: number;
  fault?: boolean;
  kind?: DeviceKind;
  characteristic?: Characteristic;
  quality?: Quality[];
  checked?: Checked;
  /** `null`: the device sent a word in place of a number. */
  numbers?: Partial<Record<Quantity, string | null>>;
}

const UNITS: Partial<Record<Quantity, Unit>> = {
  spo2: "%",
  pulse_rate: "/min",
  heart_rate: "/min",
  respiration_rate: "/min",
  temperature: "°C",
  weight: "kg",
  glucose: "mg/dL",
};

export function reading(seq: number, parts: ReadingParts = {}): ReadingRow {
  const kind = parts.kind ?? "cuff";
  const about = {
    id: `${seq}`,
    device: { id: `sim-${kind}-1`, kind, model: "SIM" },
    characteristic: parts.characteristic ?? "blood_pressure",
    quality: parts.quality ?? [],
    device_time: null,
    gateway_time: parts.at ?? 0,
    provenance: {
      gateway: "g",
      transport: "simulator" as const,
      entered: null,
      driver: "sim",
      raw: "",
      boot: "",
      sequence: seq,
    },
  };
  const measurements = Object.entries(parts.numbers ?? {}).map(([what, value]) => ({
    what: what as Quantity,
    value:
      value === null
        ? { type: "special" as const, special: "NaN" as const }
        : { type: "number" as const, value },
    unit: UNITS[what as Quantity] ?? "mmHg",
    original: null,
  }));
  return {
    seq,
    stored: parts.at ?? 0,
    late: parts.late ?? false,
    quarantined: parts.quarantined ?? false,
    checked: parts.checked ?? null,
    photos: [],
    assigned: null,
    outcome: parts.fault
      ? { type: "fault", ...about, reason: "cuff_error" }
      : { type: "reading", ...about, measurements, device_user: null, site: null },
  };
}

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  readyState = 0;
  readonly sent: FromScreen[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as FromScreen);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The other end opens and greets. */
  welcome(now: number, you: Partial<You> = {}): void {
    this.readyState = 1;
    this.onopen?.();
    this.say({
      type: "welcome",
      version: 1,
      now,
      heartbeat_ms: 5_000,
      you: {
        role: "nurse",
        name: "山本 恵",
        staff: null,
        site: null,
        ticket: null,
        hospital: null,
        patient_view: false,
        companion: false,
        kit: null,
        rehearsal: false,
        ...you,
      },
    });
  }

  say(message: ToScreen): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The link is torn. */
  tear(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  sentOf<T extends FromScreen["type"]>(type: T): Extract<FromScreen, { type: T }>[] {
    return this.sent.filter((one): one is Extract<FromScreen, { type: T }> => one.type === type);
  }
}

/** A wire, its sockets in the order they were opened, and the screen's clock. */
export function harness(sessionIsOpen: () => Promise<boolean | undefined> = async () => true) {
  const sockets: FakeSocket[] = [];
  let keys = 0;
  const world: World = {
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    now: () => Date.now(),
    random: () => 0.5,
    newKey: () => {
      keys += 1;
      return `key-${keys}`;
    },
    sessionIsOpen,
  };
  const wire = new Wire(world);
  const last = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  return { wire, sockets, last };
}
