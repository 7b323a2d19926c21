// Whether what a page says of its call is so: its words beside what its browser counted. Pure.

/** What is read as "now" of counts: what came since the look that was so long ago. */
const LATELY_MS = 1_900;
/** What a page says is held against it when it is untrue for longer than this. */
export const LASTS_MS = 4_000;
/** In so long a call finds its way up, and a picture that is smaller is no word about the line. */
const FINDS_ITS_WAY_MS = 15_000;
/** After so long a page has heard that less of its picture is asked for. */
const HEARS_OF_LESS_MS = 6_000;
/** Where stills go out, one does in so long. */
const STILL_MS = 8_000;
/** A still is shown with its age in whole seconds, and the looks are a second apart. */
const AGE_OFF_MS = 3_000;

const STEPS = [
  ["small", "映像を少し小さくしています"],
  ["thumbnail", "映像を小さくして、声と測定値を"],
  ["stills", "動く映像を止めて、声と測定値を"],
  ["audio_only", "映像を止めています。声と測定値は"],
  ["text_only", "いまは文字と測定値だけが"],
];
/** What a page says of the picture that it sends: that its own line is thin, or no reason. */
const OWN = [
  ["size", "こちらの映像を小さくして送っています"],
  ["movement", "こちらの映像は静止画で送り"],
  ["picture", "こちらの映像を止めて"],
  ["small", "こちらの映像は、いま小さく送られています"],
  ["unmoving", "こちらの動く映像は、いま送られていません"],
];
/** Those that name the line as the reason. */
const OWN_LINE = ["size", "movement", "picture"];
/** What it says of the picture that it gets: that somebody else's line is thin, or no reason. */
const THEIRS = "相手側の回線が細く";
const COMES_SMALL = "いま映像が小さく届いています";
const CUT = ["つなぎ直しています", "切れています"];
/** The layers of a camera of 640 pixels, and the widest that a step gives. */
const LAYERS = [["quarter", 200], ["half", 400], ["full", Number.POSITIVE_INFINITY]];
const SIZES = ["none", "quarter", "half", "full"];
const WIDEST = { text_only: "none", audio_only: "none", stills: "none", thumbnail: "quarter", small: "half", full: "full" };

/** The layer of a picture, by its width in pixels. */
const sizeOf = (width) => (width > 0 ? LAYERS.find(([, below]) => width < below)[0] : "none");
const isWider = (one, other) => SIZES.indexOf(one) > SIZES.indexOf(other);

/** What the words mean. */
export function meaning({ banners, seats }) {
  const isCut = (words) => CUT.some((cut) => words.includes(cut));
  const among = (known) => (words) => known.find(([, said]) => words.includes(said))?.[0];
  const [step, own] = [among(STEPS), among(OWN)];
  const call = banners.some(isCut) ? "cut" : "live";
  const strange = banners.find((words) => !isCut(words) && !step(words) && !own(words));
  const [seat] = seats;
  const words = seat?.words ?? "";
  return {
    call,
    step: banners.map(step).find((one) => one) ?? "full",
    own: banners.map(own).find((one) => one),
    theirs: words.includes(THEIRS),
    comesSmall: words.includes(COMES_SMALL),
    strange,
    nobody: seat === undefined,
    moves: (seat?.moves ?? false) && !words.includes("から止まっています"),
    heard: words.includes("声が届いています"),
    age_ms: seat?.still ? ageOf(words) : undefined,
  };
}

/** The age that a still is said to have, in milliseconds. */
function ageOf(words) {
  const seconds = /(\d+)秒前の静止画/.exec(words)?.[1];
  const minutes = /(\d+)分前の静止画/.exec(words)?.[1];
  return (Number(seconds ?? 0) + 60 * Number(minutes ?? 0)) * 1_000;
}

/** What came and went between two looks. */
function flow(before, now) {
  const sent = now.layers.filter(({ name, frames }) => {
    const then = before.layers.find((layer) => layer.name === name);
    return frames > (then?.frames ?? 0);
  });
  const moves = now.frames > before.frames;
  return {
    voice: now.voice > before.voice,
    moves,
    size: moves ? sizeOf(now.width) : "none",
    stillsOut: now.stillsOut > before.stillsOut,
    sends: sent.map(({ width }) => sizeOf(width)).sort((one, other) => SIZES.indexOf(other) - SIZES.indexOf(one))[0] ?? "none",
  };
}

/** Each is untrue when it holds, where a time stands from then on. */
const UNTRUTHS = [
  ["says what this harness does not know", ({ said }) => said.strange !== undefined],
  ["says that nobody is there, and a voice comes", ({ said, came }) => said.nobody && came.voice],
  ["says a voice is heard, and none comes", ({ said, came }) => said.heard && !came.voice],
  ["says no voice is heard, and one comes", ({ said, came }) => !said.nobody && !said.heard && came.voice],
  ["shows a moving picture, and none comes", ({ said, came }) => said.moves && !came.moves],
  ["says that the picture stands still or is gone, and one comes", ({ said, came }) => !said.moves && came.moves],
  ["says that the call is cut, and all of it comes", ({ said, came }) => said.call === "cut" && came.voice && came.moves],
  ["gets more picture than it says", ({ said, came }) => said.call === "live" && isWider(came.size, WIDEST[said.step])],
  [
    "gets less picture than it says",
    ({ said, came }) =>
      said.call === "live" && came.moves && !said.theirs && !said.comesSmall && isWider(WIDEST[said.step], came.size),
    FINDS_ITS_WAY_MS,
  ],
  ["blames its own line, which has room for everything", ({ said, roomy }) => roomy.own && OWN_LINE.includes(said.own)],
  ["blames the other line, which has room for everything", ({ said, roomy }) => roomy.theirs && said.theirs],
  ["gives two reasons for one small picture", ({ said }) => said.theirs && said.comesSmall],
  ["says that the picture comes small, and all of it does", ({ said, came }) => said.comesSmall && came.size === WIDEST[said.step]],
  ["blames the other line, and gets all of the picture", ({ said, came }) => said.theirs && came.size === WIDEST[said.step]],
  ["calls a still newer than it is", ({ said, stillFor_ms }) => said.age_ms !== undefined && said.age_ms + AGE_OFF_MS < stillFor_ms],
  ["sends no picture, and does not say so", ({ said, came }) => said.call === "live" && !said.own && came.sends === "none"],
  [
    "sends less picture than is asked for, and does not say so",
    ({ said, came, asked }) => said.call === "live" && !said.own && came.sends !== "none" && isWider(asked, came.sends),
    FINDS_ITS_WAY_MS,
  ],
  ["says that its picture goes out smaller, and all of it does", ({ said, came }) => ["size", "small"].includes(said.own) && came.sends === "full"],
  [
    "says that its picture goes out small, and all that is asked for does",
    ({ said, came, asked }) => said.own === "small" && !isWider(asked, came.sends),
    HEARS_OF_LESS_MS,
  ],
  [
    "says that its picture does not move, and it does",
    ({ said, came }) => ["movement", "picture", "unmoving"].includes(said.own) && came.sends !== "none",
  ],
  ["says that it sends stills, and sends none", ({ said, came }) => said.own === "movement" && !came.stillsOut, STILL_MS],
];

/** The size of a picture that a page needs, by what it says: the smallest stays on for when it may come. */
export function neededBy(said) {
  const widest = WIDEST[meaning(said).step];
  return widest === "none" ? "quarter" : widest;
}

/** Follows the looks at one page. */
export class Truth {
  #looks = [];
  #stillAt;
  /** From when on an untruth that still holds counts. */
  #since = new Map();
  /** Looks that could be judged, those with nothing untrue, and the longest time of each untruth. */
  looks = 0;
  true = 0;
  longest = new Map();
  /** What came at each look, for whoever wants to know how the link was. */
  seen = [];

  /**
   * Judges one look; gives what of it is untrue. `asked` is the size that others need of its picture; `roomy` says
   * of which line it is known that it has room for everything: `own`, `theirs`.
   */
  take(now, asked = "full", roomy = {}) {
    const before = this.#looks.findLast(({ at }) => now.at - at >= LATELY_MS);
    const last = this.#looks.at(-1);
    if (last && now.stillsIn > last.stillsIn) this.#stillAt = now.at;
    this.#looks.push(now);
    if (!before) return [];
    const said = meaning(now.said);
    const came = flow(before, now);
    this.seen.push({ at: now.at, step: said.step, call: said.call, own: said.own, theirs: said.theirs, comesSmall: said.comesSmall, ...came });
    const known = { said, came, asked, roomy, stillFor_ms: now.at - (this.#stillAt ?? now.at) };
    const untrue = [];
    for (const [name, holds, after = 0] of UNTRUTHS) {
      if (!holds(known)) this.#since.delete(name);
      else if (!this.#since.has(name)) this.#since.set(name, now.at + after);
      const lasts_ms = now.at - (this.#since.get(name) ?? Number.POSITIVE_INFINITY);
      if (lasts_ms < 0) continue;
      untrue.push(name);
      this.longest.set(name, Math.max(this.longest.get(name) ?? 0, lasts_ms));
    }
    this.looks += 1;
    this.true += untrue.length === 0 ? 1 : 0;
    return untrue;
  }

  /** What was untrue for too long: its name and for how many milliseconds. */
  get faults() {
    return [...this.longest].filter(([, ms]) => ms > LASTS_MS);
  }

  /** The longest time of any untruth, in milliseconds. */
  get worst_ms() {
    return Math.max(0, ...this.longest.values());
  }
}
