import { expect, test } from "vitest";
import { isNeeded, sendOnly } from "./camera-layers";

test("layers larger than anybody needs are not sent; the smaller ones stay on", () => {
  const wanted = { video: "half", stills: false } as const;
  expect(["q", "h", "f"].map((rid) => isNeeded(rid, wanted))).toEqual([true, true, false]);
});

test("nobody sees the camera: nothing of it is sent", () => {
  const wanted = { video: "off", stills: true } as const;
  expect(["q", "h", "f"].map((rid) => isNeeded(rid, wanted))).toEqual([false, false, false]);
});

test("without a word from the relay everything is sent", () => {
  expect(["q", "h", "f"].map((rid) => isNeeded(rid, undefined))).toEqual([true, true, true]);
});

test("a camera without layers is on as long as anybody needs any of it", () => {
  expect(isNeeded(undefined, undefined)).toBe(true);
  expect(isNeeded(undefined, { video: "quarter", stills: false })).toBe(true);
  expect(isNeeded(undefined, { video: "off", stills: true })).toBe(false);
});

test("the browser is asked only when something changes", async () => {
  const encodings = ["q", "h", "f"].map((rid) => ({ rid, active: true }));
  let asked = 0;
  const camera = {
    getParameters: () => ({ encodings }),
    setParameters: async () => {
      asked += 1;
    },
  } as unknown as RTCRtpSender;
  await sendOnly(camera, { video: "quarter", stills: false });
  await sendOnly(camera, { video: "quarter", stills: false });
  expect(asked).toBe(1);
  expect(encodings.map(({ active }) => active)).toEqual([true, false, false]);
});
