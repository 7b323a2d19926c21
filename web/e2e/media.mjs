// What a page's call really carries, as its own browser counts it: decoded pictures, heard voices.

import { until } from "./until.mjs";

/** Runs in every page before its own scripts: keeps the connections where the test finds them, and
 * counts what comes on the waves' channel. */
export function keepConnections() {
  const Native = window.RTCPeerConnection;
  window.connectionsOfTest = [];
  window.wavesOfTest = 0;
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      window.connectionsOfTest.push(this);
    }

    createDataChannel(label, ...options) {
      const channel = super.createDataChannel(label, ...options);
      if (label === "waves") channel.addEventListener("message", () => (window.wavesOfTest += 1));
      return channel;
    }
  };
}

/** Waits until so many further blocks of a pulse wave have come. */
export async function getsWaves(page, who, within_ms) {
  const enough = (await page.evaluate(() => window.wavesOfTest)) + 5;
  await until(`${who} gets a wave`, () => page.evaluate((n) => window.wavesOfTest >= n, enough), within_ms);
}

/**
 * What came in since the page was opened on the connection that is open now: decoded frames and
 * received audio packets, each of the line that has most; `connection` counts connections.
 */
export function flow(page) {
  return page.evaluate(async () => {
    const all = window.connectionsOfTest ?? [];
    const open = all.filter((one) => one.connectionState === "connected").at(-1);
    const sum = { connection: all.indexOf(open), frames: 0, audioPackets: 0, audioEnergy: 0, pathBytes: 0 };
    if (!open) return sum;
    for (const entry of (await open.getStats()).values()) {
      if (entry.type === "transport") sum.pathBytes += entry.bytesReceived ?? 0;
      if (entry.type !== "inbound-rtp") continue;
      if (entry.kind === "video") sum.frames += entry.framesDecoded ?? 0;
      if (entry.kind === "audio") {
        sum.audioPackets += entry.packetsReceived ?? 0;
        sum.audioEnergy += entry.totalAudioEnergy ?? 0;
      }
    }
    return sum;
  });
}

/** The browser sends its camera without the largest layer, as one that spares its processor; until `end`. */
export async function spareTheLargest(page) {
  const all = (is) =>
    page.evaluate(async (spares) => {
      const native = (window.setParametersOfTest ??= RTCRtpSender.prototype.setParameters);
      RTCRtpSender.prototype.setParameters = function (parameters) {
        const largest = parameters.encodings.find(({ rid }) => rid === "f");
        if (largest && spares) largest.active = false;
        return native.call(this, parameters);
      };
      const open = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
      for (const sender of open.getSenders()) {
        const parameters = sender.getParameters();
        const largest = parameters.encodings.find(({ rid }) => rid === "f");
        if (!largest) continue;
        largest.active = !spares;
        await sender.setParameters(parameters);
      }
    }, is);
  await all(true);
  return { end: () => all(false) };
}

/** Waits until somebody's picture is decoded and shown here, and somebody's voice is heard. */
export async function seesAndHears(page, who, within_ms = 20_000) {
  const first = await flow(page);
  await until(
    `${who} sees moving pictures and gets a voice`,
    async () => {
      const now = await flow(page);
      if (now.connection !== first.connection) Object.assign(first, now);
      return now.frames >= first.frames + 10 && now.audioPackets >= first.audioPackets + 20 && now.audioEnergy > 0;
    },
    within_ms,
  );
  await until(`${who} has the picture on the screen`, () =>
    page.evaluate(() =>
      [...document.querySelectorAll(".seat video")].some(
        (video) => video.videoWidth > 0 && video.currentTime > 0 && !video.paused,
      ),
    ),
  );
}

/** Both ends of a call. */
export async function seeAndHearEachOther(people, within_ms) {
  await Promise.all(people.map((person) => seesAndHears(person.page, person.who, within_ms)));
}

/**
 * Watches a page's pictures in the page itself, ten times a second, until `end` is called; gives
 * the longest time without a newly decoded frame and how many were decoded.
 */
export async function watchFrames(page) {
  await page.evaluate(() => {
    const connection = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
    const seen = { frames: undefined, first: undefined, grewAt: performance.now(), longestGapMs: 0, connection };
    window.framesOfTest = seen;
    seen.timer = setInterval(async () => {
      let frames = 0;
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === "inbound-rtp" && entry.kind === "video") frames += entry.framesDecoded ?? 0;
      }
      const now = performance.now();
      if (seen.first === undefined) seen.first = frames;
      else seen.longestGapMs = Math.max(seen.longestGapMs, now - seen.grewAt);
      if (frames === seen.frames) return;
      seen.frames = frames;
      seen.grewAt = now;
    }, 100);
  });
  return {
    end: () =>
      page.evaluate(() => {
        const seen = window.framesOfTest;
        clearInterval(seen.timer);
        return {
          longestGapMs: Math.round(seen.longestGapMs),
          frames: seen.frames - seen.first,
          isSame: window.connectionsOfTest.at(-1) === seen.connection && seen.connection.connectionState === "connected",
        };
      }),
  };
}

/**
 * As `watchFrames`, but of whichever connection carries pictures: gives the longest time without a
 * newly decoded frame, and when the last one came, so that one can wait for the next.
 */
export async function watchPictures(page) {
  await page.evaluate(() => {
    const decoded = new Map();
    const seen = { grewAt: performance.now(), longestGapMs: 0, frames: 0 };
    window.picturesOfTest = seen;
    seen.timer = setInterval(async () => {
      for (const connection of window.connectionsOfTest) {
        let frames = 0;
        for (const entry of (await connection.getStats()).values()) {
          if (entry.type === "inbound-rtp" && entry.kind === "video") frames += entry.framesDecoded ?? 0;
        }
        const before = decoded.get(connection) ?? 0;
        if (frames <= before) continue;
        decoded.set(connection, frames);
        const now = performance.now();
        // What was decoded before the watch began is nobody's gap.
        if (seen.frames > 0) seen.longestGapMs = Math.max(seen.longestGapMs, now - seen.grewAt);
        seen.frames += frames - before;
        seen.grewAt = now;
      }
    }, 50);
  });
  return {
    end: () =>
      page.evaluate(() => {
        const seen = window.picturesOfTest;
        clearInterval(seen.timer);
        return Math.round(Math.max(seen.longestGapMs, performance.now() - seen.grewAt));
      }),
  };
}
