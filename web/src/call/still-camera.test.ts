import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PIECE_MS, smallEnough, StillCamera, STILL_MS } from "./still-camera";
import { STILL_BYTES_MAX } from "./stills";

const stream = {} as MediaStream;
let sent: Uint8Array[];
let waiting: number;
let size: number;
let now: number;
let seen: MediaStream | undefined;
let channel: RTCDataChannel;
let camera: StillCamera;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, waiting, size, now, seen] = [[], 0, 2_500, 1_000, stream];
  channel = {
    readyState: "open",
    get bufferedAmount() {
      return waiting;
    },
    send: (piece: Uint8Array) => void sent.push(piece),
  } as unknown as RTCDataChannel;
  const shoot = () => Promise.resolve(new Blob([new Uint8Array(size)]));
  camera = new StillCamera(() => seen, () => now, shoot);
});

afterEach(() => {
  camera.want(false, undefined);
  vi.useRealTimers();
});

const taken = (piece: Uint8Array | undefined) => Number(piece && new DataView(piece.buffer).getBigInt64(0));
/** Pieces go out one after the other: index and count of each. */
const places = () => sent.map((piece) => [piece[8], piece[9]]);

it("sends a picture piece by piece, and the next one seconds later", async () => {
  camera.want(true, channel);
  await vi.advanceTimersByTimeAsync(0);
  expect(places()).toEqual([[0, 3]]);
  await vi.advanceTimersByTimeAsync(PIECE_MS * 2);
  expect(places()).toEqual([[0, 3], [1, 3], [2, 3]]);
  now = 5_000;
  await vi.advanceTimersByTimeAsync(STILL_MS - PIECE_MS * 2 - 1);
  expect(sent).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toHaveLength(4);
  expect([taken(sent[0]), taken(sent[3])]).toEqual([1_000, 5_000]);
});

it("leaves the rest of a picture out rather than queue it", async () => {
  camera.want(true, channel);
  await vi.advanceTimersByTimeAsync(0);
  waiting = 10_000;
  await vi.advanceTimersByTimeAsync(STILL_MS * 3 - 1);
  expect(sent).toHaveLength(1);
  waiting = 0;
  await vi.advanceTimersByTimeAsync(STILL_MS);
  expect(places().slice(0, 2)).toEqual([[0, 3], [0, 3]]);
});

it("sends nothing without a wish for it, without a picture, or of what is too large", async () => {
  camera.want(true, channel);
  camera.want(false, channel);
  await vi.advanceTimersByTimeAsync(STILL_MS);
  seen = undefined;
  camera.want(true, channel);
  await vi.advanceTimersByTimeAsync(STILL_MS);
  expect(sent).toEqual([]);
  seen = stream;
  size = STILL_BYTES_MAX + 1;
  await vi.advanceTimersByTimeAsync(STILL_MS);
  expect(sent).toEqual([]);
  size = 10;
  await vi.advanceTimersByTimeAsync(STILL_MS);
  expect(places()).toEqual([[0, 1]]);
});

it("takes the best quality that is small enough", async () => {
  const tried: number[] = [];
  const make = (quality: number) => {
    tried.push(quality);
    return Promise.resolve(new Blob([new Uint8Array(Math.round(quality * 20_000))]));
  };
  expect((await smallEnough(make))?.size).toBe(6_000);
  expect(tried).toEqual([0.6, 0.45, 0.3]);
  expect(await smallEnough(() => Promise.resolve(new Blob([new Uint8Array(9_000)])))).toBeUndefined();
});
