// Devices at the tablet, with a Bluetooth that is made up.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "../wire/acts";
import type { Act, Code, HandedFrame } from "../wire/types";
import {
  AGAIN_MS,
  type Characteristic,
  type Gadget,
  Hanging,
  LOOK_MS,
  type Server,
  SERVICES,
  shortOf,
  SILENCE_MS,
  Tablet,
} from "./bluetooth";
import { bluetoothOf } from "./bluetooth-here";
import { BATCH_EVERY_MS, BATCH_FRAMES_MAX, FRAMES_MAX, hexOf, REFUSED_AGAIN_MS } from "./frames";

const long = (short: string) => `0000${short.toLowerCase()}-0000-1000-8000-00805f9b34fb`;
const bytes = (...values: number[]) => new DataView(new Uint8Array(values).buffer);

class FakeCharacteristic extends EventTarget implements Characteristic {
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

class FakeGadget extends EventTarget implements Gadget {
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

const DONE: Answer = { type: "done", outcome: { type: "done" } };

/** A broker that answers as it is told, and what it was handed. */
function broker() {
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
const refused = (code: Code): Answer => ({ type: "refused", code, by: null });

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_790_000_000_000);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a device at the tablet", () => {
  it("is offered only where the browser can", () => {
    expect(bluetoothOf({} as Navigator)).toBeUndefined();
    const bluetooth = { requestDevice: async () => new FakeGadget([]) };
    expect(bluetoothOf({ bluetooth } as unknown as Navigator)).toBe(bluetooth);
  });

  it("is chosen among devices with a health service, and nobody's choice is no fault", async () => {
    const requestDevice = vi.fn(async () => new FakeGadget([new FakeCharacteristic("2A35")]));
    const tablet = new Tablet({ requestDevice }, broker().world);
    expect(await tablet.choose("t-1")).toBe(true);
    expect(requestDevice).toHaveBeenCalledWith({
      filters: SERVICES.map((service) => ({ services: [service] })),
      optionalServices: [0x180f],
    });
    requestDevice.mockRejectedValueOnce(new Error("cancelled"));
    expect(await tablet.choose("t-1")).toBe(false);
    expect(tablet.hanging.value).toHaveLength(1);
  });

  it("is on one patient: chosen for another, it leaves the first when the nurse says so", async () => {
    const gadget = new FakeGadget([new FakeCharacteristic("2A35")]);
    const { words, world } = broker();
    const tablet = new Tablet({ requestDevice: async () => gadget }, world);
    const onWhom = () => tablet.hanging.value.map(({ ticket }) => ticket);
    await tablet.choose("t-1");
    await tablet.choose("t-2");
    const [first, second] = tablet.hanging.value;
    expect([first?.state.value, second?.elsewhere.value, gadget.connects]).toEqual(["connected", true, 1]);
    if (second) tablet.decline(second);
    await vi.advanceTimersByTimeAsync(0);
    expect([onWhom(), first?.state.value]).toEqual([["t-1"], "connected"]);
    await tablet.choose("t-2");
    const again = tablet.hanging.value[1];
    if (again) await tablet.takeOver(again);
    await vi.advanceTimersByTimeAsync(0);
    expect([onWhom(), again?.state.value]).toEqual([["t-2"], "connected"]);
    const said = words.map((act) => "run" in act && [act.type, Number(act.run)]);
    expect(said).toEqual([
      ["attach_here", 1],
      ["detach_here", 2],
      ["detach_here", 1],
      ["attach_here", 3],
    ]);
  });

  it("of a model of which one is on somebody else here, takes that one off when the nurse says so", async () => {
    const [one, two] = ["one", "two"].map((id) => new FakeGadget([new FakeCharacteristic("2A35")], id));
    const { words, said, world } = broker();
    const chosen = [one, two];
    const requestDevice = async () => chosen.shift() ?? new FakeGadget([]);
    const tablet = new Tablet({ requestDevice }, world);
    await tablet.choose("t-1");
    said.push(refused("device_elsewhere"));
    await tablet.choose("t-2");
    await vi.advanceTimersByTimeAsync(0);
    const [, second] = tablet.hanging.value;
    expect(second?.elsewhere.value).toBe(true);
    if (second) await tablet.takeOver(second);
    await vi.advanceTimersByTimeAsync(0);
    expect(tablet.hanging.value.map(({ ticket }) => ticket)).toEqual(["t-2"]);
    const asked = words.map((act) => act.type === "attach_here" && [act.model, act.takes_over]);
    expect(asked).toEqual([["A&D_UA-651BLE", false], ["A&D_UA-651BLE", false], false, ["A&D_UA-651BLE", true]]);
  });

  it("under its question is not connected beside the one that is, whose connection ends", async () => {
    const gadget = new FakeGadget([new FakeCharacteristic("2A35")]);
    const tablet = new Tablet({ requestDevice: async () => gadget }, broker().world);
    await tablet.choose("t-1");
    await tablet.choose("t-2");
    gadget.lose();
    await vi.advanceTimersByTimeAsync(AGAIN_MS[0]);
    expect(tablet.hanging.value.map(({ state }) => state.value)).toEqual(["connected", "connecting"]);
    expect(gadget.connects).toBe(2);
  });

  it("such as a cuff is not looked for after its result, and comes back at a press", async () => {
    const cuff = new FakeCharacteristic("2A35");
    const pressing = new FakeCharacteristic("2A36");
    const gadget = new FakeGadget([cuff, pressing]);
    const { words, acts, world } = broker();
    const tablet = new Tablet({ requestDevice: async () => gadget }, world);
    await tablet.choose("t-1");
    pressing.say(bytes(1));
    gadget.lose();
    await vi.advanceTimersByTimeAsync(AGAIN_MS[0]);
    const [first] = tablet.hanging.value;
    expect([first?.state.value, gadget.connects]).toEqual(["connected", 2]);
    cuff.say(bytes(2));
    gadget.lose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([first?.state.value, gadget.connects, acts.length]).toEqual(["measured", 2, 2]);
    expect(words.map(({ type }) => type)).toEqual(["attach_here", "detach_here"]);
    if (first) await tablet.again(first);
    await vi.advanceTimersByTimeAsync(0);
    const states = tablet.hanging.value.map(({ ticket, state }) => [ticket, state.value]);
    expect([states, gadget.connects]).toEqual([[["t-1", "connected"]], 3]);
    expect(words.at(-1)).toEqual(expect.objectContaining({ type: "attach_here", run: "2".padStart(16, "0") }));
  });

  it("is said to be off wherever nobody hears it any more", async () => {
    const unfit = broker();
    await new Hanging(new FakeGadget([new FakeCharacteristic("2A00")]), "t-1", unfit.world).connect();
    expect(unfit.words.map(({ type }) => type)).toEqual(["detach_here"]);
    const closed = broker();
    const oximeter = new FakeGadget([new FakeCharacteristic("2A5F")]);
    const tablet = new Tablet({ requestDevice: async () => oximeter }, closed.world);
    await tablet.choose("t-1");
    await vi.advanceTimersByTimeAsync(0);
    tablet.close();
    expect(closed.words.map(({ type }) => type)).toEqual(["attach_here", "detach_here"]);
  });

  it("is on from the moment of the press, however often that is said, and off after the answer", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    said.push(refused("busy"), refused("busy"));
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", world);
    const pressed = Date.now();
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(1_000);
    hanging.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    const when = words.map((act) => "at" in act && [act.type, Number(act.at) - pressed]);
    expect(when).toEqual([
      ["attach_here", 0],
      ["attach_here", 0],
      ["attach_here", 0],
      ["detach_here", 1_000],
    ]);
    expect(acts.map(({ frames }) => frames.length)).toEqual([1]);
  });

  it("hands its frames in as they are, with time, boot and count", async () => {
    const cuff = new FakeCharacteristic("2A35", { notify: false, indicate: true, read: false });
    const { acts, world } = broker();
    const hanging = new Hanging(new FakeGadget([cuff]), "t-1", world);
    await hanging.attach();
    await hanging.connect();
    expect(hanging.state.value).toBe("connected");
    cuff.say(bytes(0x00, 0x78, 0x00, 0x50, 0x00, 0x5a, 0x00));
    cuff.say(bytes(0x01));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts).toEqual([
      {
        type: "hand_frames",
        ticket: "t-1",
        device: "web-x7/Y==",
        model: "A&D_UA-651BLE",
        frames: [
          {
            characteristic: "2A35",
            bytes: "00780050005a00",
            at: 1_790_000_000_000,
            boot: "0000000000000001",
            sequence: 0,
          },
          expect.objectContaining({ bytes: "01", sequence: 1 }),
        ],
      },
    ]);
    expect(hanging.frames.waiting.value).toBe(0);
  });

  it("is read where it cannot notify, and hands that in once", async () => {
    const scale = new FakeCharacteristic("2A9D", { notify: false, indicate: false, read: true }, bytes(7));
    const { acts, world } = broker();
    const hanging = new Hanging(new FakeGadget([scale]), "t-1", world);
    await hanging.attach();
    await hanging.connect();
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts.flatMap(({ frames }) => frames).map((frame) => frame.bytes)).toEqual(["07"]);
  });

  it("tells its battery and hands in nothing but measurements", async () => {
    const battery = new FakeCharacteristic("2A19", { notify: true, indicate: false, read: true });
    const { acts, world } = broker();
    const hanging = new Hanging(new FakeGadget([battery, new FakeCharacteristic("2A37")]), "t-1", world);
    await hanging.connect();
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(hanging.battery.value).toBe(80);
    expect(acts).toEqual([]);
  });

  it("is asked for a glucose meter's last record only", async () => {
    const [glucose, records] = [new FakeCharacteristic("2A18"), new FakeCharacteristic("2A52")];
    await new Hanging(new FakeGadget([records, glucose]), "t-1", broker().world).connect();
    expect(records.written).toEqual([[1, 6]]);
  });

  it("that measures nothing is let go, and says so", async () => {
    const hanging = new Hanging(new FakeGadget([new FakeCharacteristic("2A00")]), "t-1", broker().world);
    await hanging.connect();
    expect(hanging.state.value).toBe("unsuitable");
  });

  it("is looked for again when it is lost, and then counts on under the same name", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const gadget = new FakeGadget([oximeter]);
    const { acts, world } = broker();
    const hanging = new Hanging(gadget, "t-1", world);
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    gadget.reachable = false;
    gadget.lose();
    expect(hanging.state.value).toBe("lost");
    await vi.advanceTimersByTimeAsync(AGAIN_MS[0]);
    expect(hanging.state.value).toBe("lost");
    gadget.reachable = true;
    await vi.advanceTimersByTimeAsync(AGAIN_MS[1]);
    expect(hanging.state.value).toBe("connected");
    oximeter.say(bytes(2));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    const frames = acts.flatMap((act) => act.frames);
    expect(frames.map(({ boot, sequence }) => [Number(boot), sequence])).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it("that is worn and silent comes off after two minutes, lost or not, and is not looked for", async () => {
    for (const isLost of [false, true]) {
      const oximeter = new FakeCharacteristic("2A5F");
      const gadget = new FakeGadget([oximeter]);
      const { words, world } = broker();
      const hanging = new Hanging(gadget, "t-1", world);
      await hanging.connect();
      await vi.advanceTimersByTimeAsync(SILENCE_MS - 1_000);
      oximeter.say(bytes(1));
      gadget.reachable = !isLost;
      if (isLost) gadget.lose();
      await vi.advanceTimersByTimeAsync(SILENCE_MS - 1_000);
      expect(hanging.state.value).toBe(isLost ? "lost" : "connected");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(hanging.state.value).toBe("silent");
      expect(words).toEqual([expect.objectContaining({ type: "detach_here", silent: true })]);
      const { connects } = gadget;
      await vi.advanceTimersByTimeAsync(60_000);
      expect(gadget.connects).toBe(connects);
    }
  });

  it("that speaks once a measurement is looked for half an hour, and then it is said that nobody does", async () => {
    const gadget = new FakeGadget([new FakeCharacteristic("2A35")]);
    const { words, world } = broker();
    const hanging = new Hanging(gadget, "t-1", world);
    await hanging.connect();
    gadget.reachable = false;
    gadget.lose();
    await vi.advanceTimersByTimeAsync(LOOK_MS - 20_000);
    expect(hanging.state.value).toBe("lost");
    await vi.advanceTimersByTimeAsync(40_000);
    expect(hanging.state.value).toBe("gave_up");
    expect(words.map(({ type }) => type)).toEqual(["detach_here"]);
  });

  it("that was let go is not looked for and hands nothing more in", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const gadget = new FakeGadget([oximeter]);
    const { acts, world } = broker();
    const hanging = new Hanging(gadget, "t-1", world);
    await hanging.connect();
    hanging.stop();
    gadget.lose();
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gadget.connects).toBe(1);
    expect(acts).toEqual([]);
  });
});

describe("frames on their way", () => {
  async function connected() {
    const oximeter = new FakeCharacteristic("2A5F");
    const told = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", told.world);
    await hanging.attach();
    await hanging.connect();
    return { oximeter, hanging, ...told };
  }
  const sent = (acts: readonly { frames: readonly HandedFrame[] }[]) => acts.map(({ frames }) => frames.length);

  it("leave in batches of a bounded size, one at a time and not oftener than twice a second", async () => {
    const { oximeter, acts } = await connected();
    for (let n = 0; n < 100; n += 1) oximeter.say(bytes(n));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([BATCH_FRAMES_MAX]);
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([BATCH_FRAMES_MAX, 100 - BATCH_FRAMES_MAX]);
  });

  it("are kept until they are answered, and go again after a refusal that passes", async () => {
    const { oximeter, hanging, acts, answerWith } = await connected();
    answerWith(() => refused("busy"));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(hanging.frames.waiting.value).toBe(1);
    answerWith(() => ({ type: "done", outcome: { type: "done" } }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(hanging.frames.waiting.value).toBe(0);
    expect(acts[1]?.frames).toEqual(acts[0]?.frames);
  });

  it("wait while an answer is on its way, however long the link is gone", async () => {
    const { oximeter, hanging, acts, settle, answerWith } = await connected();
    answerWith(undefined);
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    oximeter.say(bytes(2));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent(acts)).toEqual([1]);
    expect(hanging.frames.waiting.value).toBe(2);
    settle[0]?.({ type: "done", outcome: { type: "done" } });
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts[1]?.frames.map((frame) => frame.bytes)).toEqual(["02"]);
  });

  it("of which one cannot be read go one by one, and only that one is given up", async () => {
    const { oximeter, hanging, acts, answerWith } = await connected();
    answerWith((frames) =>
      frames.some((frame) => frame.bytes === "02")
        ? refused("frame_refused")
        : { type: "done", outcome: { type: "done" } },
    );
    for (const n of [1, 2, 3]) oximeter.say(bytes(n));
    await vi.advanceTimersByTimeAsync(5 * BATCH_EVERY_MS);
    expect(sent(acts)).toEqual([3, 1, 1, 1]);
    expect(hanging.frames.unread.value).toBe(1);
    expect(hanging.frames.waiting.value).toBe(0);
  });

  it("are bounded: nothing kept is given up, the device is let go", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(undefined);
    for (let n = 0; n <= FRAMES_MAX; n += 1) oximeter.say(bytes(1));
    expect(hanging.state.value).toBe("full");
    expect(hanging.frames.waiting.value).toBe(FRAMES_MAX);
  });

  it("that are refused are kept, with the reason, and go again", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(() => refused("ticket_over"));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    oximeter.say(bytes(2));
    expect(hanging.frames.refused.value).toBe("ticket_over");
    expect(hanging.frames.waiting.value).toBe(2);
    answerWith(() => DONE);
    await vi.advanceTimersByTimeAsync(REFUSED_AGAIN_MS);
    expect(hanging.frames.waiting.value).toBe(0);
    expect(hanging.frames.refused.value).toBeUndefined();
  });

  it("of a device that is not on this patient any more are kept by the broker, and it is let go", async () => {
    const { oximeter, hanging, answerWith } = await connected();
    answerWith(() => ({ type: "done", outcome: { type: "came_off" } }));
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(hanging.state.value).toBe("came_off");
    expect(hanging.frames.waiting.value).toBe(0);
  });

  it("wait until the nurse has said whether the device comes off somebody else", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", world);
    said.push(refused("device_elsewhere"));
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect([hanging.elsewhere.value, acts.length]).toEqual([true, 0]);
    await hanging.attach(true);
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(acts.map(({ frames }) => frames.length)).toEqual([1]);
    expect(words.map((act) => act.type === "attach_here" && act.takes_over)).toEqual([false, true]);
  });

  it("are handed in as nobody's when it stays there", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const hanging = new Hanging(new FakeGadget([oximeter]), "t-1", world);
    said.push(refused("device_elsewhere"));
    await hanging.attach();
    await hanging.connect();
    oximeter.say(bytes(1));
    // The broker has to know first: a frame of a run that it does not know puts the device on.
    said.push(refused("busy"));
    hanging.decline();
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect([hanging.state.value, acts.length]).toEqual(["came_off", 0]);
    await vi.advanceTimersByTimeAsync(3_000);
    const [, ...off] = words;
    const same = expect.objectContaining({ type: "detach_here", run: "1".padStart(16, "0") });
    expect([off, acts.length]).toEqual([[same, same], 1]);
  });

  it("are handed in as nobody's when the visit ends under the question", async () => {
    const oximeter = new FakeCharacteristic("2A5F");
    const { acts, words, said, world } = broker();
    const requestDevice = async () => new FakeGadget([oximeter]);
    const tablet = new Tablet({ requestDevice }, world);
    said.push(refused("device_elsewhere"));
    await tablet.choose("t-1");
    await vi.advanceTimersByTimeAsync(0);
    oximeter.say(bytes(1));
    tablet.leave("t-1");
    await vi.advanceTimersByTimeAsync(BATCH_EVERY_MS);
    expect(words.map(({ type }) => type)).toEqual(["attach_here", "detach_here"]);
    expect([acts.length, tablet.hanging.value.length]).toEqual([1, 0]);
  });

  it("are written as two hex digits a byte, of the part that is meant", () => {
    expect(hexOf(new DataView(new Uint8Array([1, 2, 0xab, 4]).buffer, 1, 2))).toBe("02ab");
    expect(shortOf(long("2a35"))).toBe("2A35");
    expect(shortOf("0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b")).toBeUndefined();
  });
});
