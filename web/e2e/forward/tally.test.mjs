import { expect, test } from "vitest";
import { flaw, span } from "./tally.mjs";

/** A look at a page after so many seconds of a film of 390 packets/s. */
const look = (seconds, kind = "Sent", { missing = 0, again = 0, state = "connected" } = {}) => ({
  state,
  path: { timestamp: 1_000 * seconds, packetsSent: 10 * seconds, srtpCipher: "GCM" },
  media: {
    audio: { [`packets${kind}`]: 50 * seconds },
    video: {
      [`packets${kind}`]: 340 * seconds - missing + again,
      [`retransmittedPackets${kind}`]: again,
      framesSent: 30 * seconds,
    },
  },
});
const between = (...listeners) =>
  span(
    [look(1), ...listeners.map(() => look(1, "Received"))],
    [look(6), ...listeners.map((how) => look(6, "Received", how))],
  );

test("what is received for the first time is delivered, what comes again is not", () => {
  const call = between({}, { again: 70 });
  expect([call.due, call.delivered]).toEqual([3_900, 3_900]);
  expect(call.sum((one) => one.picture.again)).toBe(70);
  expect(flaw(call)).toBeUndefined();
});

test("a hundredth and a frame may be missing, and not more", () => {
  expect(flaw(between({ missing: 17 + 12 }))).toBeUndefined();
  expect(flaw(between({}, { missing: 17 + 13 }))).toBe("1 of 2 lack something of 250 + 1700: 250 + 1670");
});

test("packets that come again do not hide those that do not come", () => {
  expect(flaw(between({ missing: 200, again: 200 }))).toMatch(/^1 of 1 lack/);
});

test("another film and a connection that is gone are told", () => {
  const thin = (seconds, kind) => ({ ...look(seconds, kind), media: { audio: look(seconds, kind).media.audio } });
  expect(flaw(span([thin(1)], [thin(2)]))).toBe("50 packets/s are published");
  expect(flaw(between({ state: "failed" }))).toBe("not everybody is connected");
});
