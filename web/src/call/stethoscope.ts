// The stethoscope on this screen: a second sound beside the microphone, caught as it is and sent on a
// line of its own. The microphone is not touched by it.

import { type Signal, signal } from "@preact/signals";
import { catchChest, type MediaFault, release } from "./devices";
import type { Lines } from "./offer";

/** A heart lies below what browsers keep of a voice: the line's own rate, in bit/s. */
const BPS = 64_000;
const REMEMBERED = "minato-chestpiece";
/** Names that browsers give to one of the other inputs. */
const ALIASES: readonly string[] = ["default", "communications"];

export type ChestState =
  | { type: "off" }
  | { type: "asking" }
  | { type: "on" }
  /** It was on and has been taken away. */
  | { type: "unplugged" }
  | { type: "failed"; fault: MediaFault };

export interface Chestpiece {
  id: string;
  name: string;
}

export class Stethoscope {
  readonly state: Signal<ChestState> = signal<ChestState>({ type: "off" });
  /** Inputs of sound that this screen has. Names are there once a microphone was allowed. */
  readonly inputs: Signal<readonly Chestpiece[]> = signal<readonly Chestpiece[]>([]);
  /** The input to listen with; the browser's own choice while it is empty or not there. */
  readonly chosen: Signal<string> = signal(remembered());
  private lines: Lines | undefined;
  private stream: MediaStream | undefined;
  private looks = false;
  /** The newest question for an input; the answer to an older one is not used. */
  private attempt = 0;

  /** The connection whose line carries what is caught. */
  putOn(lines: Lines | undefined): void {
    this.lines = lines;
    void this.put();
  }

  /** Keeps the list of inputs up to date until `stop`. */
  async look(): Promise<void> {
    if (!this.looks) navigator.mediaDevices?.addEventListener?.("devicechange", this.devicesChanged);
    this.looks = true;
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    this.inputs.value = inputsOf(all);
  }

  /** Another input; what is sent changes at once. */
  async choose(id: string): Promise<void> {
    this.chosen.value = id;
    remember(id);
    if (["on", "asking"].includes(this.state.peek().type)) await this.start();
  }

  async start(): Promise<void> {
    this.hush();
    this.attempt += 1;
    const { attempt } = this;
    this.state.value = { type: "asking" };
    const known = this.inputs.peek().some((input) => input.id === this.chosen.peek());
    const caught = await catchChest(known ? this.chosen.peek() : undefined);
    const isWanted = this.attempt === attempt;
    if (typeof caught === "string") {
      if (isWanted) this.state.value = { type: "failed", fault: caught };
      return;
    }
    if (!isWanted) return release(caught);
    this.stream = caught;
    const track = caught.getAudioTracks()[0];
    if (track) track.onended = () => this.ended();
    this.state.value = { type: "on" };
    await this.put();
  }

  /** Nothing is sent or caught any more. */
  stop(): void {
    this.attempt += 1;
    this.hush();
    this.state.value = { type: "off" };
  }

  letGo(): void {
    this.stop();
    if (!this.looks) return;
    this.looks = false;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.devicesChanged);
  }

  private hush(): void {
    release(this.stream);
    this.stream = undefined;
    void this.put();
  }

  private ended(): void {
    this.hush();
    this.state.value = { type: "unplugged" };
  }

  private async put(): Promise<void> {
    const sender = this.lines?.stethoscope;
    const track = this.stream?.getAudioTracks()[0] ?? null;
    if (!sender || sender.track === track) return;
    await sender.replaceTrack(track);
    if (track) await keepRate(sender);
  }

  private readonly devicesChanged = (): void => void this.look();
}

/** The inputs by name; a name for another one of them is left out, unless there is nothing else. */
export function inputsOf(all: readonly MediaDeviceInfo[]): Chestpiece[] {
  const sounds = all.filter((one) => one.kind === "audioinput" && one.label);
  const own = sounds.filter((one) => !ALIASES.includes(one.deviceId));
  return (own.length > 0 ? own : sounds).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** The answer asks for the rate as well; a browser that takes it from neither sends at its own. */
async function keepRate(sender: RTCRtpSender): Promise<void> {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings ?? []) encoding.maxBitrate = BPS;
  await sender.setParameters(parameters).catch(() => undefined);
}

function remembered(): string {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return ""; // Storage can be forbidden: it is chosen anew each time.
  }
}

function remember(id: string): void {
  try {
    localStorage.setItem(REMEMBERED, id);
  } catch {
    // It is used now; it is only not remembered.
  }
}
