// A Bluetooth and a broker that are made up, for tests of devices at the tablet.

import type { Answer } from "../wire/acts";
import type { Act, Code, HandedFrame } from "../wire/types";
import type { Characteristic, Gadget, Server } from "./bluetooth";

export const long = (short: string) => `0000${short.toLowerCase()}-0000-1000-8000-00805f9b34fb`;
export const bytes = (...values: number[]) => new DataView(new Uint8Array(values).buffer);

export class FakeCharacteristic extends EventTarget implements Characteristic {
  readonly uuid: string;
  value: DataView | undefined;
  subscribed = 0;
  readonly written: number[][] = [];
  constructor(
    short: string,
    readonly properties = { notify: true, indicate: false, read: false },
    private readonly readable = bytes(80),
  ) {
    super();
    this.uuid = long(short);
  }
  async startNotifications() {
    this.subscribed += 1;
  }
  async readValue() {
    this.say(this.readable);
    return this.readable;
  }
  async writeValueWithResponse(sent: Uint8Array) {
    this.written.push([...sent]);
  }
  say(value: DataView) {
    this.value = value;
    this.dispatchEvent(new Event("characteristicvaluechanged"));
  }
}

export class FakeGadget extends EventTarget implements Gadget {
  readonly name = "A&D_UA-651BLE";
  connects = 0;
  reachable = true;
  readonly gatt: Server;
  constructor(
    readonly characteristics: FakeCharacteristic[],
    readonly id = "x7/Y==",
  ) {
    super();
    const server: Server = {
      connect: async () => {
        this.connects += 1;
        if (!this.reachable) throw new Error("out of range");
        return server;
      },
      disconnect: () => undefined,
      getPrimaryServices: async () => [{ getCharacteristics: async () => this.characteristics }],
    };
    this.gatt = server;
  }
  lose() {
    this.dispatchEvent(new Event("gattserverdisconnected"));
  }
}

export const DONE: Answer = { type: "done", outcome: { type: "done" } };

/** A broker that answers as it is told, and what it was handed. */
export function broker() {
  const acts: Extract<Act, { type: "hand_frames" }>[] = [];
  const words: Act[] = [];
  const said: Answer[] = [];
  const settle: ((answer: Answer) => void)[] = [];
  let answering: ((frames: readonly HandedFrame[]) => Answer) | undefined = () => ({
    type: "done",
    outcome: { type: "done" },
  });
  let boots = 0;
  return {
    acts,
    words,
    /** Answers to what is said of whose it is; `done` when there is none left. */
    said,
    settle,
    answerWith(answer: typeof answering) {
      answering = answer;
    },
    world: {
      now: () => Date.now(),
      newBoot: () => {
        boots += 1;
        return `${boots}`.padStart(16, "0");
      },
      act: (act: Act) => {
        if (act.type !== "hand_frames") {
          words.push(act);
          return Promise.resolve(said.shift() ?? DONE);
        }
        acts.push(act);
        return answering
          ? Promise.resolve(answering(act.frames))
          : new Promise<Answer>((settled) => settle.push(settled));
      },
    },
  };
}
export const refused = (code: Code): Answer => ({ type: "refused", code, by: null });
