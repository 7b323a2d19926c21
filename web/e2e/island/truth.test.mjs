import { expect, test } from "vitest";
import { LASTS_MS, Truth } from "./truth.mjs";

const SMALL = "回線が細いため、映像を少し小さくしています。";
const STILLS = "回線が細いため、動く映像を止めて、声と測定値を優先しています。";
const OWN_SMALLER = "こちらの回線が細いため、こちらの映像を小さくして送っています。";
const OWN_STILLS = "こちらの回線が細いため、こちらの映像は静止画で送り、声を優先しています。";
const OWN_SMALL = "こちらの映像は、いま小さく送られています。";
const OWN_UNMOVING = "こちらの動く映像は、いま送られていません。";
const COMES_SMALL = "医師声が届いていますいま映像が小さく届いています";
const CUT = "映像と音声をつなぎ直しています（12:00 から）";

/** Looks at a page, one a second: what it says, and what comes in each second. */
function page() {
  const truth = new Truth();
  let [at, voice, frames, stillsIn, stillsOut, sent] = [0, 0, 0, 0, 0, 0];
  return {
    truth,
    for(seconds, { banners = [], words = "医師声が届いています", moves = true, still = false, ...came }) {
      for (let second = 0; second < seconds; second += 1) {
        at += 1_000;
        voice += came.voice ?? 50;
        frames += came.frames ?? 24;
        stillsIn += came.stills ?? 0;
        stillsOut += came.stillsOut ?? 0;
        sent += came.sends === 0 ? 0 : 24;
        const layers = [{ name: "0 f", frames: sent, width: came.sends ?? 640 }];
        const seats = [{ words, moves, still }];
        const counts = { voice, frames, width: came.width ?? 640, stillsIn, stillsOut, layers };
        truth.take({ at, said: { banners, seats }, ...counts }, came.asked, came.roomy);
      }
      return this;
    },
    get faults() {
      return truth.faults.map(([what]) => what);
    },
  };
}

const long = LASTS_MS / 1_000 + 4;

test("a page whose words fit has no fault, through a cut, on every step and with stills", () => {
  const watched = page();
  watched.for(30, {}).for(30, { banners: [SMALL], width: 320 });
  const still = (age) => ({ banners: [STILLS], words: `医師声が届いています${age}`, moves: false, still: true, frames: 0 });
  for (let count = 0; count < 5; count += 1) {
    watched.for(1, { ...still("たった今の静止画"), stills: 8 }).for(2, still("2秒前の静止画")).for(1, still("4秒前の静止画"));
  }
  watched.for(2, { words: "医師声が届いています", voice: 0, frames: 0 });
  watched.for(20, { banners: [CUT], words: "医師声が届いていません12:00 から止まっています", voice: 0, frames: 0 }).for(20, {});
  expect(watched.faults).toEqual([]);
  expect(watched.truth.looks).toBeGreaterThan(100);
});

test("whoever is said not to be heard while nothing comes is told truly, in a line that is in order", () => {
  const gone = { words: "看護師声が届いていません映像なし", moves: false, voice: 0, frames: 0 };
  expect(page().for(5, {}).for(30, gone).for(5, {}).faults).toEqual([]);
});

test("a moment is no fault, and is told", () => {
  const watched = page().for(10, {}).for(2, { banners: [SMALL] }).for(10, {});
  expect(watched.faults).toEqual([]);
  expect(watched.truth.worst_ms).toBe(1_000);
  expect(watched.truth.true).toBe(watched.truth.looks - 2);
});

test.each([
  ["gets more picture than it says", { banners: [SMALL] }],
  ["gets more picture than it says", { banners: [STILLS] }],
  ["says a voice is heard, and none comes", { voice: 0 }],
  ["says no voice is heard, and one comes", { words: "医師声が届いていません" }],
  ["shows a moving picture, and none comes", { frames: 0 }],
  ["says that the picture stands still or is gone, and one comes", { words: "医師声が届いています12:00 から止まっています" }],
  ["says that the picture stands still or is gone, and one comes", { moves: false }],
  ["says that the call is cut, and all of it comes", { banners: [CUT] }],
  ["blames the other line, and gets all of the picture", { words: "医師声が届いています相手側の回線が細く、映像が小さくなっています" }],
  ["says that the picture comes small, and all of it does", { words: COMES_SMALL }],
  ["says that the picture comes small, and all of it does", { words: COMES_SMALL, banners: [SMALL], width: 320 }],
  ["gives two reasons for one small picture", { words: `${COMES_SMALL}相手側の回線が細く、映像が小さくなっています`, width: 320 }],
  ["sends no picture, and does not say so", { sends: 0 }],
  ["says that its picture goes out smaller, and all of it does", { banners: [OWN_SMALL] }],
  ["says that its picture does not move, and it does", { banners: [OWN_UNMOVING] }],
  ["says that its picture goes out smaller, and all of it does", { banners: [OWN_SMALLER] }],
  ["says that its picture does not move, and it does", { banners: [OWN_STILLS], stillsOut: 1 }],
  ["says what this harness does not know", { banners: ["すべて順調です"] }],
])("a page that %s is found out", (what, lie) => {
  expect(page().for(5, {}).for(long, lie).faults).toContain(what);
});

test("less picture than is said counts once a call has had time to find its way up", () => {
  expect(page().for(15, { width: 320 }).faults).toEqual([]);
  expect(page().for(15 + long, { width: 320 }).faults).toEqual(["gets less picture than it says"]);
  expect(page().for(15 + long, { width: 160, banners: [SMALL] }).faults).toEqual(["gets less picture than it says"]);
});

test("a smaller picture may be told without a reason", () => {
  expect(page().for(60, { width: 320, words: COMES_SMALL }).faults).toEqual([]);
  expect(page().for(60, { width: 160, words: COMES_SMALL, banners: [SMALL] }).faults).toEqual([]);
  expect(page().for(60, { sends: 320, banners: [OWN_SMALL] }).faults).toEqual([]);
  expect(page().for(60, { sends: 160, asked: "half", banners: [OWN_SMALL] }).faults).toEqual([]);
  expect(page().for(60, { sends: 0, banners: [OWN_UNMOVING] }).faults).toEqual([]);
});

test("a line is blamed only where it may be thin", () => {
  const theirs = { width: 320, words: "医師声が届いています相手側の回線が細く、映像が小さくなっています" };
  expect(page().for(60, { ...theirs, roomy: { own: true } }).faults).toEqual([]);
  expect(page().for(60, { ...theirs, roomy: { theirs: true } }).faults).toEqual(["blames the other line, which has room for everything"]);
  const own = { sends: 320, banners: [OWN_SMALLER] };
  expect(page().for(60, { ...own, roomy: { theirs: true } }).faults).toEqual([]);
  expect(page().for(60, { ...own, roomy: { own: true } }).faults).toEqual(["blames its own line, which has room for everything"]);
  const roomy = { own: true, theirs: true };
  expect(page().for(60, { sends: 320, width: 320, words: COMES_SMALL, banners: [OWN_SMALL], roomy }).faults).toEqual([]);
});

test("a picture that is said to be small when no larger one is asked for is found out", () => {
  const told = { sends: 320, asked: "half", banners: [OWN_SMALL] };
  expect(page().for(6, told).faults).toEqual([]);
  expect(page().for(6 + long, told).faults).toEqual(["says that its picture goes out small, and all that is asked for does"]);
});

test("less picture that goes out than is asked for counts after the same time", () => {
  expect(page().for(15 + long, { sends: 320, asked: "half" }).faults).toEqual([]);
  expect(page().for(15 + long, { sends: 320, banners: [OWN_SMALLER] }).faults).toEqual([]);
  expect(page().for(15, { sends: 320 }).faults).toEqual([]);
  expect(page().for(15 + long, { sends: 320 }).faults).toEqual(["sends less picture than is asked for, and does not say so"]);
});

test("stills that are said to go out go out", () => {
  const said = { banners: [OWN_STILLS], sends: 0 };
  expect(page().for(30, { ...said, stillsOut: 1 }).faults).toEqual([]);
  expect(page().for(8 + long, said).faults).toEqual(["says that it sends stills, and sends none"]);
});

test("a still that is called newer than it is is found out", () => {
  const shown = { banners: [STILLS], words: "医師声が届いていますたった今の静止画", moves: false, still: true, frames: 0 };
  expect(page().for(5, { ...shown, stills: 8 }).for(3 + long, shown).faults).toEqual(["calls a still newer than it is"]);
});
