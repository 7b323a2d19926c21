// Devices at the tablet, with a Bluetooth that is made up.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN_MS, Hanging, LOOK_MS, SERVICES, SILENCE_MS, Tablet } from "./bluetooth";
import { bluetoothOf } from "./bluetooth-here";
import { BATCH_EVERY_MS } from "./frames";
import { bytes, FakeCharacteristic, FakeGadget, broker, refused } from "./bluetooth-fakes";

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
