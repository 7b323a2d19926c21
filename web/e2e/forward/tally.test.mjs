import { expect, test } from "vitest";
import { flaw, span } from "./tally.mjs";

const sends = (seconds) => [
  { type: "outbound-rtp", kind: "audio", packetsSent: 50 * seconds },
  { type: "outbound-rtp", kind: "video", packetsSent: 340 * seconds, framesSent: 30 * seconds },
];
/** What comes of one who sends. */
const hears = (seconds, { missing = 0, again = 0 } = {}) => [
  { type: "inbound-rtp", kind: "audio", packetsReceived: 50 * seconds },
  {
    type: "inbound-rtp",
    kind: "video",
    packetsReceived: 340 * seconds - missing + again,
    retransmittedPacketsReceived: again,
    framesDecoded: 30 * seconds,
  },
];
const look = (seconds, lines, connected = true) => ({
  connected,
  paths: [{ timestamp: 1_000 * seconds, packetsSent: 10 * seconds, srtpCipher: "GCM" }],
  lines,
});
/** One speaks and films for five seconds. */
const between = (...listeners) =>
  span(
    [look(1, sends(1)), ...listeners.map(() => look(1, hears(1)))],
    [look(6, sends(6)), ...listeners.map((how) => look(6, hears(6, how)))],
  );

test("what is received for the first time is delivered, what comes again is not", () => {
  const call = between({}, { again: 70 });
  expect([call.due, call.delivered]).toEqual([3_900, 3_900]);
  expect(call.sum((one) => one.received.picture.again)).toBe(70);
  expect(flaw(call, 1)).toBeUndefined();
});

test("a hundredth and a frame may be missing, and not more", () => {
  expect(flaw(between({ missing: 17 + 12 }), 1)).toBeUndefined();
  expect(flaw(between({ missing: 17 + 13 }), 1)).toBe("1 of 2 lack something: 250 of 250 + 1670 of 1700");
});

test("packets that come again do not hide those that do not come", () => {
  expect(flaw(between({ missing: 200, again: 200 }), 1)).toMatch(/^1 of 2 lack/);
});

test("who speaks is due what the others send, and not what comes from itself", () => {
  const all = (seconds, lacks = {}) =>
    [{}, {}, lacks].map((how) => look(seconds, [...sends(seconds), ...hears(seconds), ...hears(seconds, how)]));
  const whole = span(all(1), all(6));
  expect([whole.due, whole.delivered, whole.publishers.length]).toEqual([11_700, 11_700, 3]);
  expect(flaw(whole, 3)).toBeUndefined();
  expect(flaw(span(all(1), all(6, { missing: 34 + 37 })), 3)).toBe("1 of 3 lack something: 500 of 500 + 3329 of 3400");
});

test("packets that are no media are counted apart, over all connections of a page", () => {
  const page = (seconds) => ({
    connected: true,
    paths: [400 * seconds, 20 * seconds].map((packetsSent) => ({ timestamp: 1_000 * seconds, packetsSent })),
    lines: sends(seconds),
  });
  expect(span([page(1)], [page(2)]).people[0].control).toBe(30);
});

test("another film, too few who publish and a connection that is gone are told", () => {
  const thin = (seconds) => look(seconds, sends(seconds).slice(0, 1));
  expect(flaw(span([thin(1)], [thin(2)]), 1)).toBe("50 packets/s are published");
  expect(flaw(between({}), 2)).toBe("1 of 2 publish");
  expect(flaw(span([look(1, sends(1))], [look(2, sends(2), false)]), 1)).toBe("not everybody is connected");
});
