// Web Bluetooth, where the browser has it: a device hangs at the tablet itself, and its raw frames go
// to the broker. A convenience: the box on the wall is the way that always works.

import { effect, type Signal, signal } from "@preact/signals";
import type { Act, Code } from "../wire/types";
import { Frames, type FramesWorld, PASSING } from "./frames";

/** Blood pressure, oximeter, thermometer, heart rate, scale, body composition, glucose. */
export const SERVICES = [0x1810, 0x1822, 0x1809, 0x180d, 0x181d, 0x181b, 0x1808] as const;
const BATTERY_SERVICE = 0x180f;
const BATTERY_LEVEL = "2A19";
const GLUCOSE = "2A18";
const RECORD_ACCESS = "2A52";
/** Report stored records, the last one: older ones may be of others (Glucose Service 1.0.1, 3.5). */
const REPORT_LAST = new Uint8Array([0x01, 0x06]);
/** What carries measurements; all else stays in the device. */
const MEASURES: readonly string[] = [
  "2A35",
  "2A36",
  "2A5E",
  "2A5F",
  "2A1C",
  "2A1E",
  "2A37",
  "2A9D",
  "2A9C",
  GLUCOSE,
];
/** Pauses between attempts to find a lost device again; the last one repeats. */
export const AGAIN_MS = [1_000, 2_000, 5_000, 10_000] as const;
/** Worn, and never silent while they are: an oximeter, a strap. */
const WORN: readonly string[] = ["2A5F", "2A37"];
/** So long without a word, and it may be on somebody else by now: it comes off, as at the box. */
export const SILENCE_MS = 120_000;
/** Measurements under way: the result is still to come. */
const UNDER_WAY: readonly string[] = ["2A36", "2A1E"];
/** What speaks once a measurement, such as a cuff, and has not yet, is looked for so long after it was lost. */
export const LOOK_MS = 1_800_000;
/** Pause before the broker is asked again whose the device is. */
const ASK_AGAIN_MS = 2_000;
const MODEL_CHARS_MAX = 40;
const DEVICE_ID_CHARS_MAX = 64;

/** What this page uses of the Web Bluetooth API. */
export interface Characteristic extends EventTarget {
  readonly uuid: string;
  readonly properties: { readonly notify: boolean; readonly indicate: boolean; readonly read: boolean };
  readonly value?: DataView | undefined;
  startNotifications(): Promise<unknown>;
  readValue(): Promise<DataView>;
  writeValueWithResponse(bytes: Uint8Array): Promise<void>;
}
export interface Service {
  getCharacteristics(): Promise<Characteristic[]>;
}
export interface Server {
  connect(): Promise<Server>;
  disconnect(): void;
  getPrimaryServices(): Promise<Service[]>;
}
export interface Gadget extends EventTarget {
  readonly id: string;
  readonly name?: string | undefined;
  readonly gatt?: Server | undefined;
}
export interface Bluetooth {
  requestDevice(options: {
    filters: { services: number[] }[];
    optionalServices: number[];
  }): Promise<Gadget>;
}

export interface TabletWorld extends FramesWorld {
  /** Sixteen hex digits, drawn anew. */
  newBoot(): string;
}

export type AtTablet =
  | "connecting"
  | "connected"
  /** Gone; it is looked for again. */
  | "lost"
  /** Worn, and without a word for too long: it came off the patient. */
  | "silent"
  /** It gave its result and hung up. The next one may be another patient's: it is looked for at a press only. */
  | "measured"
  /** Not found for so long that nobody looks for it any more. */
  | "gave_up"
  /** It is not on this patient any more: the visit is over, or it is on somebody else. */
  | "came_off"
  /** Connected, but none of its characteristics is one that carries a measurement. */
  | "unsuitable"
  /** Too much waits for the broker: the device was let go. */
  | "full";

/** One device at this tablet, for one patient. */
export class Hanging {
  readonly state: Signal<AtTablet> = signal("connecting");
  readonly battery: Signal<number | undefined> = signal(undefined);
  readonly lastAt: Signal<number | undefined> = signal(undefined);
  /** It is on somebody else, and the nurse is asked whether it comes off there. */
  readonly elsewhere: Signal<boolean> = signal(false);
  readonly frames: Frames;
  readonly device: string;
  readonly model: string;
  private over = false;
  private begun = false;
  /** The broker is being asked whose it is: that it came off is told after its answer. */
  private asking = false;
  private off: { readonly at: number; readonly silent: boolean } | undefined;
  private resulted = false;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private lostAt: number | undefined;
  private worn = false;
  private readonly run: string;
  private readonly heard = new Map<Characteristic, (event: Event) => void>();
  private readonly onGone = () => this.gone();

  constructor(
    readonly gadget: Gadget,
    readonly ticket: string,
    private readonly world: TabletWorld,
  ) {
    this.device = deviceId(gadget.id);
    this.model = (gadget.name ?? "").trim().slice(0, MODEL_CHARS_MAX) || "Bluetooth";
    const cameOff = () => this.letGo("came_off");
    this.frames = new Frames({ ticket, device: this.device, model: this.model }, { ...world, cameOff });
    this.run = world.newBoot();
    // One name for as long as the nurse holds it here: coming back after a lost connection is no new
    // word of hers about whose it is.
    this.frames.begin(this.run);
    gadget.addEventListener("gattserverdisconnected", this.onGone);
  }

  /** Tells the broker whose the device is; until it has answered, frames are kept here. */
  async attach(takesOver = false): Promise<void> {
    this.asking = true;
    this.elsewhere.value = false;
    const { ticket, device, model, run } = this;
    // Asked again, it is still on from the moment of her press: what it gave since is this patient's.
    await this.ask({ type: "attach_here", ticket, device, model, run, at: this.now(), takes_over: takesOver });
  }

  private async ask(on: Act): Promise<void> {
    const answer = await this.world.act(on);
    if (answer.type === "not_sent" || (answer.type === "refused" && PASSING.includes(answer.code))) {
      setTimeout(() => void this.ask(on), ASK_AGAIN_MS);
      return;
    }
    this.asking = false;
    // One that was let go meanwhile was on this patient until then, or never.
    if (this.off) void this.tellOff(this.off);
    else if (answer.type === "done") this.frames.begins();
    else if (answer.code === "device_elsewhere") this.elsewhere.value = true;
    else this.decline(answer.code);
  }

  /** It stays on whoever it is on; what it gave here is handed in as nobody's. */
  decline(code?: Code): void {
    this.frames.refused.value = code;
    this.comeOff("came_off", this.now());
  }

  private now(): number {
    return Math.round(this.world.now());
  }

  async connect(): Promise<void> {
    if (this.over) return;
    this.begun = true;
    this.state.value = this.attempts === 0 ? "connecting" : "lost";
    try {
      const server = await this.gadget.gatt?.connect();
      if (!server || this.over) return server?.disconnect();
      const found = await this.listen(server);
      if (this.over) return;
      this.attempts = 0;
      this.lostAt = undefined;
      if (found) this.state.value = "connected";
      else this.comeOff("unsuitable", this.now());
    } catch {
      this.gone();
    }
  }

  /** Nothing is expected of it any more. */
  get isOver(): boolean {
    return this.over;
  }

  /** Lets the device go; what it gave is still handed in. */
  stop(): void {
    this.comeOff("lost", this.now());
  }

  /** It is not on this patient from then on; where that was still a question, it never was. */
  private comeOff(state: AtTablet, at: number): void {
    if (this.over) return;
    this.letGo(state);
    this.elsewhere.value = false;
    this.off = { at, silent: state === "silent" };
    if (!this.asking) void this.tellOff(this.off);
  }

  /** Frames wait until the broker knows: the first one of a run that it does not know puts the device on. */
  private async tellOff(off: { readonly at: number; readonly silent: boolean }): Promise<void> {
    const { device, run } = this;
    const answer = await this.world.act({ type: "detach_here", device, run, ...off });
    if (answer.type === "done") this.frames.begins();
    else setTimeout(() => void this.tellOff(off), ASK_AGAIN_MS);
  }

  /** A worn device speaks all the time. */
  private listenForSilence(): void {
    clearTimeout(this.quiet);
    if (!this.worn || this.over) return;
    const at = this.now() + SILENCE_MS;
    this.quiet = setTimeout(() => this.comeOff("silent", at), SILENCE_MS);
  }

  private letGo(state: AtTablet): void {
    // It may be connected here anew already.
    if (this.over) return;
    this.over = true;
    clearTimeout(this.retry);
    clearTimeout(this.quiet);
    this.deafen();
    this.gadget.removeEventListener("gattserverdisconnected", this.onGone);
    // One that was never connected here may be connected for another patient.
    if (this.begun) this.gadget.gatt?.disconnect();
    this.state.value = state;
  }

  private gone(): void {
    // Under its question it was never connected here: the event is of the one that is.
    if (this.over || !this.begun) return;
    this.deafen();
    if (this.resulted && !this.worn) return this.comeOff("measured", this.now());
    this.state.value = "lost";
    clearTimeout(this.retry);
    this.lostAt ??= this.now();
    if (this.now() - this.lostAt > LOOK_MS) return this.comeOff("gave_up", this.now());
    const pause = AGAIN_MS[Math.min(this.attempts, AGAIN_MS.length - 1)];
    this.attempts += 1;
    this.retry = setTimeout(() => void this.connect(), pause);
  }

  /** Subscribes one after the other: devices take one request at a time. */
  private async listen(server: Server): Promise<boolean> {
    let found = false;
    let records: Characteristic | undefined;
    let glucose = false;
    for (const service of await server.getPrimaryServices()) {
      for (const one of await service.getCharacteristics()) {
        const short = shortOf(one.uuid);
        if (short === BATTERY_LEVEL && one.properties.read) await this.readBattery(one);
        if (short === RECORD_ACCESS) records = one;
        if (short === undefined || !MEASURES.includes(short)) continue;
        found = true;
        glucose ||= short === GLUCOSE;
        if (!this.worn && WORN.includes(short)) {
          this.worn = true;
          this.listenForSilence();
        }
        await this.hear(one, short);
      }
    }
    if (glucose && records) {
      await records.startNotifications();
      await records.writeValueWithResponse(REPORT_LAST);
    }
    return found;
  }

  private async hear(one: Characteristic, short: string): Promise<void> {
    const ear = () => {
      if (one.value) this.take(short, one.value);
    };
    this.deafenOne(one);
    this.heard.set(one, ear);
    one.addEventListener("characteristicvaluechanged", ear);
    if (one.properties.notify || one.properties.indicate) await one.startNotifications();
    // The event brings the value here too.
    else if (one.properties.read) await one.readValue();
  }

  private take(short: string, value: DataView): void {
    if (this.over) return;
    if (!this.frames.take(short, value)) return this.comeOff("full", this.now());
    this.resulted ||= !UNDER_WAY.includes(short);
    this.lastAt.value = this.world.now();
    this.listenForSilence();
  }

  private async readBattery(one: Characteristic): Promise<void> {
    const value = await one.readValue().catch(() => undefined);
    if (value && value.byteLength > 0) this.battery.value = value.getUint8(0);
  }

  private deafen(): void {
    for (const one of [...this.heard.keys()]) this.deafenOne(one);
  }

  private deafenOne(one: Characteristic): void {
    const ear = this.heard.get(one);
    if (ear) one.removeEventListener("characteristicvaluechanged", ear);
    this.heard.delete(one);
  }
}

/** The devices that hang at this tablet. */
export class Tablet {
  readonly hanging: Signal<readonly Hanging[]> = signal([]);

  constructor(
    private readonly bluetooth: Bluetooth,
    private readonly world: TabletWorld,
  ) {}

  /** Asks which device; `false` when nobody chose one. Must come from a press. */
  async choose(ticket: string): Promise<boolean> {
    let gadget: Gadget;
    try {
      gadget = await this.bluetooth.requestDevice({
        filters: SERVICES.map((service) => ({ services: [service] })),
        optionalServices: [BATTERY_SERVICE],
      });
    } catch {
      return false;
    }
    await this.hang(gadget, ticket);
    return true;
  }

  /** The same device for the same patient once more, as the nurse says with this press. */
  again({ gadget, ticket }: Hanging): Promise<void> {
    return this.hang(gadget, ticket);
  }

  private async hang(gadget: Gadget, ticket: string): Promise<void> {
    const hanging = new Hanging(gadget, ticket, this.world);
    const same = this.sameAs(hanging);
    for (const one of same) if (one.ticket === ticket || one.isOver) this.drop(one);
    this.hanging.value = [...this.hanging.peek(), hanging];
    if (same.some((one) => one.ticket !== ticket && !one.isOver)) {
      hanging.elsewhere.value = true;
      return;
    }
    void hanging.attach();
    await hanging.connect();
  }

  /** The nurse said that it comes off whoever it is on. */
  async takeOver(hanging: Hanging): Promise<void> {
    for (const one of this.sameAs(hanging)) this.drop(one);
    // The broker takes off one of the same model as well: it may be this one under another name.
    const isAlike = (one: Hanging) => one.model === hanging.model && one.ticket !== hanging.ticket;
    for (const one of this.hanging.peek()) if (isAlike(one) && !one.isOver) this.drop(one);
    void hanging.attach(true);
    await hanging.connect();
  }

  /** It stays where it is. */
  decline(hanging: Hanging): void {
    hanging.decline();
    this.drop(hanging);
  }

  private sameAs(hanging: Hanging): readonly Hanging[] {
    return this.hanging.peek().filter((one) => one !== hanging && one.device === hanging.device);
  }

  /** Lets it go. It stays in sight while something of it is not handed in. */
  drop(hanging: Hanging): void {
    hanging.stop();
    const end = effect(() => {
      if (hanging.frames.waiting.value > 0) return;
      this.hanging.value = this.hanging.peek().filter((one) => one !== hanging);
      queueMicrotask(() => end());
    });
  }

  /** The page is closed: nobody hears any of them any more. */
  close(): void {
    for (const one of this.hanging.peek()) one.stop();
  }

  /** The visit is over, or this was another person: nothing here is on that patient any more. */
  leave(ticket: string): void {
    for (const one of this.hanging.peek()) if (one.ticket === ticket) this.drop(one);
  }
}

/** The browser's name for the device, as the broker takes ids: short and without blanks. */
function deviceId(id: string): string {
  return `web-${id.replace(/[^!-~]/g, "")}`.slice(0, DEVICE_ID_CHARS_MAX);
}

/** `2A35` of a UUID that Bluetooth assigned; `undefined` of a maker's own. */
export function shortOf(uuid: string): string | undefined {
  const found = /^0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb$/i.exec(uuid);
  return found?.[1]?.toUpperCase();
}
