import { beforeEach, expect, test, vi } from "vitest";
import { SendingTerms } from "./terms";

const sent = vi.hoisted(() => [] as unknown[]);
vi.mock("./camera-layers", () => ({ sendOnly: (_camera: unknown, wanted: unknown) => sent.push(wanted) }));

const voice = { follow: vi.fn(), makeRoom: vi.fn(), next: (act: () => unknown) => void act() };
const HALF = { video: "half", stills: false } as const;
const OFF = { video: "off", stills: false } as const;
let terms: SendingTerms;

beforeEach(() => {
  sent.length = 0;
  vi.clearAllMocks();
  terms = new SendingTerms(voice as never, {} as never);
  terms.take({ version: 4, wanted: HALF });
  terms.feel(200, 0);
});

test("terms that are older than the last, or come again, change nothing", () => {
  terms.take({ version: 4, wanted: OFF });
  terms.take({ version: 3, wanted: OFF });
  expect(sent).toEqual([HALF]);
  terms.take({ version: 5, voice: { lean: true, repeat: true, hold_ms: 100 } });
  expect(voice.follow).toHaveBeenLastCalledWith({ lean: true, repeat: true, hold_ms: 100 });
});

test("a page whose line is full makes room at once, without a word from the relay", () => {
  terms.feel(700, 0);
  terms.feel(700, 2_750);
  expect(sent, "not for one long trip").toEqual([HALF]);
  expect(terms.makesRoom.value).toBe(false);
  terms.feel(700, 3_000);
  expect(terms.makesRoom.value, "and says so").toBe(true);
  expect(sent.at(-1)).toEqual(OFF);
  expect(voice.makeRoom).toHaveBeenLastCalledWith(true);
  terms.take({ version: 5, wanted: HALF });
  expect(sent.at(-1), "what it knows of its own line is newer").toEqual(OFF);
  terms.feel(200, 23_000);
  expect(sent.at(-1)).toEqual(HALF);
  expect(voice.makeRoom).toHaveBeenLastCalledWith(false);
});

test("where no word of the relay has come since, nothing more is tried for a minute", () => {
  terms.feel(700, 0);
  terms.feel(700, 3_000);
  terms.feel(200, 62_999);
  expect(sent.at(-1)).toEqual(OFF);
  terms.feel(200, 63_000);
  expect(sent.at(-1)).toEqual(HALF);
});

test("what fails at once is tried again later each time", () => {
  const tries: number[] = [];
  let version = 5;
  for (let now = 0; now < 400_000; now += 500) {
    const before = sent.length;
    const wide = sent.at(-1) === HALF;
    terms.feel(wide ? 700 : 200, now);
    if (!wide && sent.at(-1) === HALF) tries.push(now);
    if (wide && sent.length > before) terms.take({ version: version++, wanted: HALF });
  }
  expect(tries).toEqual([23_000, 66_500, 150_000, 313_500]);
});

test("a line that has become a longer one is not taken for a full one for long, nor twice", () => {
  const shown: unknown[] = [];
  for (let now = 0; now < 200_000; now += 500) {
    terms.feel(800 + (now % 1_500) / 100, now);
    shown.push(sent.at(-1));
  }
  expect(shown[10]).toEqual(OFF);
  expect(shown.slice(30).every((what) => what === HALF)).toBe(true);
});

test("a queue that moves is none the less one", () => {
  for (let now = 0; now < 19_000; now += 500) terms.feel(700 + (now % 3_000) / 20, now);
  expect(sent.at(-1)).toEqual(OFF);
});

test("a line of which nothing is known is left alone", () => {
  for (let now = 0; now < 10_000; now += 500) terms.feel(undefined, now);
  expect(sent).toEqual([HALF]);
});
