import { expect, test } from "vitest";
import { unsentOf } from "./unsent";

const HALF = { video: "half", stills: false } as const;
const OFF = { video: "off", stills: false } as const;

test("a line that carries all that is asked for needs no word, and nobody misses what is not asked for", () => {
  expect(unsentOf(HALF, false)).toBeUndefined();
  expect(unsentOf({ ...HALF, stills: true }, false), "stills are for somebody else's line").toBeUndefined();
  for (const narrow of [false, true]) {
    expect(unsentOf(undefined, narrow)).toBeUndefined();
    expect(unsentOf(OFF, narrow)).toBeUndefined();
  }
});

test("what the relay takes back is smaller, stills, or nothing", () => {
  expect(unsentOf({ ...HALF, given_up: "size", own_link: true }, false)).toBe("size");
  expect(unsentOf({ ...OFF, stills: true, given_up: "picture", own_link: true }, false)).toBe("movement");
  expect(unsentOf({ ...OFF, given_up: "picture", own_link: true }, false)).toBe("picture");
});

test("what does not go out for an unknown reason is no word about the line", () => {
  expect(unsentOf({ ...HALF, given_up: "size" }, false)).toBe("small");
  for (const stills of [false, true]) {
    expect(unsentOf({ ...HALF, stills, given_up: "picture" }, false)).toBe("unmoving");
  }
});

test("a page that makes room by itself knows it before the relay does", () => {
  expect(unsentOf(HALF, true)).toBe("picture");
  expect(unsentOf({ ...HALF, stills: true }, true)).toBe("movement");
  expect(unsentOf({ ...HALF, given_up: "size" }, true)).toBe("picture");
  expect(unsentOf({ ...HALF, given_up: "picture" }, true)).toBe("picture");
});
