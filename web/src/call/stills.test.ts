import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { piecesOf, STILL_BYTES_MAX, Stills } from "./stills";

const SATO = "0000000000002";
const NOW = 1_750_000_000_000;
const anybody = () => true;
let shown: Map<string, Blob>;

beforeEach(() => {
  shown = new Map();
  let last = 0;
  vi.stubGlobal("URL", {
    createObjectURL(blob: Blob) {
      last += 1;
      shown.set(`blob:${last}`, blob);
      return `blob:${last}`;
    },
    revokeObjectURL: (url: string) => void shown.delete(url),
  });
});

afterEach(() => vi.unstubAllGlobals());

/** As the relay passes a page's message on. */
function passedOn(message: Uint8Array, sender = SATO): ArrayBuffer {
  return new Uint8Array([...new TextEncoder().encode(sender), ...message]).buffer;
}

const picture = (length: number, of = 7) => new Uint8Array(length).fill(of);
const messages = (length: number, taken: number, of?: number) => piecesOf(picture(length, of), taken).map((one) => passedOn(one));

async function bytesOf(stills: Stills): Promise<number[]> {
  const blob = shown.get(stills.of(SATO)?.url ?? "");
  return blob ? [...new Uint8Array(await blob.arrayBuffer())] : [];
}

describe("stills on the wire", () => {
  it("have the layout that the protocol tells", () => {
    const [piece] = piecesOf(new Uint8Array([0xff, 0xd8]), 258);
    expect([...(piece ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0xff, 0xd8]);
    expect(piecesOf(picture(STILL_BYTES_MAX), 1)).toHaveLength(8);
    expect(piecesOf(picture(STILL_BYTES_MAX + 1), 1)).toEqual([]);
  });

  it("are put together in whatever order their pieces come", async () => {
    const stills = new Stills();
    const [one, two, three] = messages(2_500, NOW);
    for (const [message, whole] of [[three, false], [one, false], [one, false], [two, true]] as const) {
      expect(message && stills.take(message, NOW, anybody)).toBe(whole);
    }
    expect(stills.of(SATO)?.taken).toBe(NOW);
    expect(await bytesOf(stills)).toEqual([...picture(2_500)]);
  });

  it("never give way to an older one", async () => {
    const stills = new Stills();
    const [old1, old2] = messages(1_500, NOW, 1);
    const [new1, new2] = messages(1_500, NOW + 4_000, 2);
    for (const message of [old1, new1, old2, new2, old1, old2]) {
      if (message) stills.take(message, NOW + 4_000, anybody);
    }
    expect(stills.of(SATO)?.taken).toBe(NOW + 4_000);
    expect(await bytesOf(stills)).toEqual([...picture(1_500, 2)]);
  });

  it("are forgotten with the picture they stand for, and with a newer one", () => {
    const stills = new Stills();
    for (const taken of [NOW, NOW + 4_000]) {
      for (const message of messages(10, taken)) stills.take(message, NOW, anybody);
    }
    expect(shown.size).toBe(1);
    stills.keep(new Set([SATO]));
    expect(shown.size).toBe(1);
    stills.keep(new Set());
    expect(shown.size).toBe(0);
    expect(stills.of(SATO)).toBeUndefined();
  });

  it("are not taken from whom nobody sees, from the future, or when they are none", () => {
    const stills = new Stills();
    const [whole] = messages(10, NOW);
    expect(whole && stills.take(whole, NOW, () => false)).toBe(false);
    expect(whole && stills.take(whole, NOW - 3_600_000, anybody)).toBe(false);
    expect(stills.take(new ArrayBuffer(3), NOW, anybody)).toBe(false);
    const [wrong] = piecesOf(picture(10), NOW);
    wrong?.set([4, 2], 8);
    expect(wrong && stills.take(passedOn(wrong), NOW, anybody)).toBe(false);
  });
});
