// One cut of the link, or one change of address, in a call: what it took until both hear and see each
// other again, and whether the pages told it as it was.

import { until } from "../until.mjs";

/** Whoever is not back by then has not come back. */
const BACK_WITHIN_MS = 60_000;
/** Longer than anything that still comes by an address that is gone. */
const MOVED_MS = 1_000;

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nothing gets through either way for so long. */
export async function drop({ link, people }, length_ms) {
  const lasts = Math.round(length_ms);
  await link.say(`blackout ${lasts}ms`);
  return comeBack(people, Date.now() + lasts, lasts);
}

/** The island's only address becomes another one, as from Wi-Fi to LTE: the longest gap that this makes. */
export async function move({ link, people }, address) {
  await Promise.all(people.map(({ watch }) => watch.from(Date.now())));
  await link.say(`address ${address}`);
  // Sound and pictures stop with the old address: what runs after so long has come back.
  await runsFor(people, MOVED_MS);
  const told = {};
  for (const { who, watch } of people) {
    const { gap, unsaid_ms, stale_ms } = await watch.seen();
    told[who] = { sound_ms: gap.sound, picture_ms: gap.picture, unsaid_ms, stale_ms };
  }
  return { told, back_ms: longest(told) };
}

function longest(told) {
  return Math.max(...Object.values(told).flatMap((one) => [one.sound_ms, one.picture_ms]));
}

/** Both again hear and see, and no page says otherwise; how long after `since` each of it was. */
async function comeBack(people, since, length_ms) {
  await Promise.all(people.map(({ watch }) => watch.from(since)));
  const told = {};
  for (const { who, watch } of people) {
    const seen = await until(
      `${who} hears and sees again`,
      async () => {
        const now = await watch.seen();
        const { first, call, screen } = now;
        return first.sound && first.picture && call === "whole" && screen === "whole" && now;
      },
      length_ms + BACK_WITHIN_MS,
    );
    const after = (moment) => Math.max(0, moment - since);
    told[who] = {
      sound_ms: after(seen.first.sound),
      picture_ms: after(seen.first.picture),
      word_ms: after(seen.first.word),
      screen_ms: after(seen.first.screen),
      unsaid_ms: seen.unsaid_ms,
      stale_ms: seen.stale_ms,
    };
  }
  return { length_ms, told, back_ms: longest(told) };
}

/** Waits until a call that came back has run for a little: pictures and sound in these last moments. */
export async function runsFor(people, ms) {
  const began = Date.now();
  for (const { who, watch } of people) {
    await until(`${who}'s call runs`, async () => {
      const { at, call, now } = await watch.seen();
      return call === "whole" && at.sound > began + ms && at.picture > began + ms && now;
    }, ms + BACK_WITHIN_MS);
  }
}

export function quantile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
