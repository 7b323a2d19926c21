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
  terms.feel(700, 1_000);
  expect(sent, "not for a moment only").toEqual([HALF]);
  terms.feel(700, 1_500);
  expect(sent.at(-1)).toEqual(OFF);
  expect(voice.makeRoom).toHaveBeenLastCalledWith(true);
  terms.take({ version: 5, wanted: HALF });
  expect(sent.at(-1), "what it knows of its own line is newer").toEqual(OFF);
  terms.feel(700, 21_500);
  expect(sent.at(-1)).toEqual(HALF);
  expect(voice.makeRoom).toHaveBeenLastCalledWith(false);
});

test("what fails at once is tried again later each time", () => {
  const tries: number[] = [];
  for (let now = 0; now < 400_000; now += 500) {
    const before = sent.length;
    terms.feel(700, now);
    if (sent.length > before && sent.at(-1) === HALF) tries.push(now);
  }
  expect(tries).toEqual([21_500, 63_500, 145_500, 307_500]);
});

test("a line of which nothing is known is left alone", () => {
  for (let now = 0; now < 10_000; now += 500) terms.feel(undefined, now);
  expect(sent).toEqual([HALF]);
});
