import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Lines } from "./offer";
import { inputsOf, Stethoscope } from "./stethoscope";

interface Asked {
  audio: MediaTrackConstraints;
  give(stream: unknown): void;
  refuse(name: string): void;
}

let asked: Asked[];
let sent: unknown[];
let rates: unknown[];
let lines: Lines;

const track = (name: string) => ({ name, stop: vi.fn(), contentHint: "", onended: undefined as (() => void) | undefined });
const streamOf = (one: ReturnType<typeof track>) => ({ getTracks: () => [one], getAudioTracks: () => [one] });

beforeEach(() => {
  [asked, sent, rates] = [[], [], []];
  vi.stubGlobal("DOMException", class extends Error {});
  const getUserMedia = ({ audio }: { audio: MediaTrackConstraints }) =>
    new Promise((give, fail) => {
      const refuse = (name: string) => fail(Object.assign(new DOMException(name), { name }));
      asked.push({ audio, give, refuse });
    });
  const enumerateDevices = () => Promise.resolve([input("default", "Tablet"), input("a", "Tablet"), input("b", "Chest")]);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia, enumerateDevices } });
  const sender = {
    track: null as unknown,
    replaceTrack(next: unknown) {
      this.track = next;
      sent.push(next);
      return Promise.resolve();
    },
    getParameters: () => ({ encodings: [{}] }),
    setParameters: (parameters: unknown) => Promise.resolve(void rates.push(parameters)),
  };
  lines = { stethoscope: sender } as unknown as Lines;
});

afterEach(() => vi.unstubAllGlobals());

function input(deviceId: string, label: string): MediaDeviceInfo {
  return { deviceId, label, kind: "audioinput" } as MediaDeviceInfo;
}

it("lists inputs by name, and a second name for one of them only where there is nothing else", () => {
  const camera = { ...input("c", "Camera"), kind: "videoinput" } as MediaDeviceInfo;
  expect(inputsOf([input("default", "Tablet"), input("a", "Tablet"), camera])).toEqual([{ id: "a", name: "Tablet" }]);
  expect(inputsOf([input("default", "Tablet")])).toEqual([{ id: "default", name: "Tablet" }]);
  expect(inputsOf([input("a", "")])).toEqual([]);
});

it("sends what it catches as it is, at its own rate, on whichever connection there is", async () => {
  const chest = new Stethoscope();
  await chest.look();
  await chest.choose("b");
  const started = chest.start();
  const heart = track("heart");
  asked[0]?.give(streamOf(heart));
  await started;
  expect(asked[0]?.audio).toMatchObject({
    deviceId: { exact: "b" },
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
  });
  expect(heart.contentHint).toBe("music");
  expect(chest.state.value.type).toBe("on");
  chest.putOn(lines);
  await vi.waitFor(() => expect(rates).toEqual([{ encodings: [{ maxBitrate: 64_000 }] }]));
  expect(sent).toEqual([heart]);
  chest.stop();
  expect(sent).toEqual([heart, null]);
  expect(heart.stop).toHaveBeenCalled();
});

it("uses the input that was chosen last, whichever answers first", async () => {
  const chest = new Stethoscope();
  chest.putOn(lines);
  await chest.look();
  const first = chest.start();
  const second = chest.choose("b");
  const [one, other] = [track("one"), track("other")];
  asked[1]?.give(streamOf(other));
  await second;
  asked[0]?.give(streamOf(one));
  await first;
  expect(sent).toEqual([other]);
  expect(one.stop).toHaveBeenCalled();
});

it("says why there is no sound, and that it was unplugged", async () => {
  const chest = new Stethoscope();
  chest.putOn(lines);
  const failed = chest.start();
  asked[0]?.refuse("OverconstrainedError");
  await failed;
  expect(chest.state.value).toEqual({ type: "failed", fault: "missing" });
  const started = chest.start();
  const heart = track("heart");
  asked[1]?.give(streamOf(heart));
  await started;
  heart.onended?.();
  expect(chest.state.value.type).toBe("unplugged");
  expect(sent).toEqual([heart, null]);
});
