// Watches a call in the page itself: when sound and pictures come, and whether what the page says of
// them is true.

/** How often the page is looked at; what is told is late by this at most. */
const LOOK_MS = 50;
/** Sound or pictures that did not come for so long have stopped. */
const STOPPED_MS = 1_000;
/** The page's words for a call that does not come. */
const CUT_WORDS = ["つなぎ直しています", "映像と音声が切れています"];
/** What stands at somebody who is not heard. */
const UNHEARD = "声が届いていません";
/** Its words for a screen that gets no news. */
const SCREEN_WORDS = ["電波が切れています", "つなぎ直しています"];

/** Begins to watch. Times are milliseconds of this machine's clock, the same in every browser here. */
export async function watchCall(page) {
  await page.evaluate(
    ({ LOOK_MS, STOPPED_MS, CUT_WORDS, SCREEN_WORDS, UNHEARD }) => {
      const at = { sound: Date.now(), picture: Date.now() };
      const seen = { since: Infinity, first: {}, at, gap: { sound: 0, picture: 0 }, saidAt: 0, unsaid_ms: 0, stale_ms: 0 };
      window.pulseOfTest = seen;
      const counts = new WeakMap();
      const grown = (connection, kind, count, least) => {
        const before = counts.get(connection) ?? {};
        const grew = count >= (before[kind] ?? 0) + least;
        if (grew) counts.set(connection, { ...before, [kind]: count });
        return grew;
      };
      const count = async (connection) => {
        const sums = { sound: 0, picture: 0 };
        for (const one of (await connection.getStats()).values()) {
          if (one.type !== "inbound-rtp") continue;
          if (one.kind === "video") sums.picture += one.framesDecoded ?? 0;
          else sums.sound += (one.totalSamplesReceived ?? 0) - (one.concealedSamples ?? 0);
        }
        return sums;
      };
      const says = (where, words) =>
        [...document.querySelectorAll(where)].some((banner) => words.some((word) => banner.textContent.includes(word)));
      const look = async () => {
        const open = window.connectionsOfTest.filter((one) => one.connectionState !== "closed");
        for (const connection of open) {
          const sums = await count(connection);
          const now = Date.now();
          // A hundredth of a second of sound that was not made up here.
          for (const [kind, least] of [["sound", 480], ["picture", 1]]) {
            if (!grown(connection, kind, sums[kind], least)) continue;
            seen.gap[kind] = Math.max(seen.gap[kind], now - seen.at[kind]);
            seen.at[kind] = now;
            if (now > seen.since) seen.first[kind] ??= now;
          }
        }
        const now = Date.now();
        const silent = now - Math.max(seen.at.sound, seen.at.picture);
        const whole = now - Math.min(seen.at.sound, seen.at.picture) < STOPPED_MS;
        const seats = [...document.querySelectorAll(".call .seat")];
        // A line in order says so too when nobody on the other side is heard.
        const unheard = seats.every((seat) => seat.textContent.includes(UNHEARD));
        const cut = says(".call .banner", CUT_WORDS) || unheard;
        seen.screen = says(".banner:not(.call .banner)", SCREEN_WORDS) ? "cut" : "whole";
        seen.call = cut ? "cut" : "whole";
        // Silence without a word.
        if (cut) seen.saidAt = now;
        seen.unsaid_ms = Math.max(seen.unsaid_ms, Math.min(silent, now - seen.saidAt));
        // A word although all of it comes.
        if (!(cut && whole)) seen.staleSince = undefined;
        else seen.stale_ms = Math.max(seen.stale_ms, now - (seen.staleSince ??= now));
        if (now > seen.since) {
          if (seen.call === "whole") seen.first.word ??= now;
          if (seen.screen === "whole") seen.first.screen ??= now;
        }
        seen.timer = setTimeout(look, LOOK_MS);
      };
      void look();
    },
    { LOOK_MS, STOPPED_MS, CUT_WORDS, SCREEN_WORDS, UNHEARD },
  );
  return new Watch(page);
}

class Watch {
  constructor(page) {
    this.page = page;
  }

  /** From this moment on the first of everything is kept; what was said before is forgotten. */
  from(since) {
    return this.page.evaluate((at) => {
      const seen = window.pulseOfTest;
      Object.assign(seen, { since: at, first: {}, gap: { sound: 0, picture: 0 }, unsaid_ms: 0, stale_ms: 0 });
    }, since);
  }

  /** What came first since then, and how well the page's words fitted. */
  async seen() {
    return this.page.evaluate(() => {
      const { since, first, at, gap, call, screen, unsaid_ms, stale_ms } = window.pulseOfTest;
      return { since, first, at, gap, now: Date.now(), call, screen, unsaid_ms, stale_ms };
    });
  }
}
