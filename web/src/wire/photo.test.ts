// Pictures that follow their values, over a line that is made up.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN_MS, drawnSize, EDGE_PX_MAX, Following, type Sent } from "./photo";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const photo = new Blob(["picture"], { type: "image/jpeg" });

function followed(answers: Sent[]) {
  const sent: string[] = [];
  let left = 0;
  const one = new Following("t-1", photo, {
    send: async (ticket, reading) => {
      sent.push(`${ticket}/${reading}`);
      return answers.shift() ?? { type: "kept" };
    },
    done: () => {
      left += 1;
    },
  });
  return { one, sent, isLeft: () => left > 0 };
}
const settled = () => vi.advanceTimersByTimeAsync(0);

describe("a picture", () => {
  it("is drawn no larger than it is, and upright in its proportions", () => {
    expect(drawnSize(4_000, 3_000, EDGE_PX_MAX)).toEqual([1_600, 1_200]);
    expect(drawnSize(3_000, 4_000, EDGE_PX_MAX)).toEqual([1_200, 1_600]);
    expect(drawnSize(800, 600, EDGE_PX_MAX)).toEqual([800, 600]);
    expect(drawnSize(10_000, 1, EDGE_PX_MAX)).toEqual([1_600, 1]);
  });

  it("goes when its value is with the broker, and not before", async () => {
    const { one, sent, isLeft } = followed([]);
    await settled();
    expect(sent).toEqual([]);
    one.follow({ type: "entered", reading: "r-1" });
    await settled();
    expect([sent, isLeft()]).toEqual([["t-1/r-1"], true]);
  });

  it("of a value that was refused goes nowhere", async () => {
    const { one, sent, isLeft } = followed([]);
    one.follow(undefined);
    await settled();
    expect([sent, isLeft()]).toEqual([[], true]);
  });

  it("is sent again after a cut, and the person is asked in the end", async () => {
    const { one, sent, isLeft } = followed(Array(20).fill({ type: "unreachable" }));
    one.follow({ type: "entered", reading: "r-1" });
    for (const pause of AGAIN_MS) {
      expect(one.way.value).toBe("sending");
      await vi.advanceTimersByTimeAsync(pause);
    }
    expect([sent.length, one.way.value, isLeft()]).toEqual([AGAIN_MS.length + 1, "failed", false]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent.length).toBe(AGAIN_MS.length + 1);
    one.again();
    await settled();
    expect(sent.length).toBe(AGAIN_MS.length + 2);
  });

  it("that is refused for good says why at once", async () => {
    const { one, sent } = followed([{ type: "refused", code: "photo_unfit" }]);
    one.follow({ type: "entered", reading: "r-1" });
    await settled();
    expect([sent.length, one.way.value, one.code.value]).toEqual([1, "failed", "photo_unfit"]);
  });
});
