// How long a value takes from the box on the wall to the doctor's eyes: from the moment the gateway
// received the device's frame (its own clock, the same machine) until the frame of the page after the
// one in which the tile changed. On the way it is written to the gateway's disk, sent, stored and told.

import { until } from "./until.mjs";

const VALUES = 120;
/** The oximeter measures once a second; its tiles change only when a number does. */
const PATIENCE_MS = 15 * 60_000;

/** Runs in the doctor's page: notes when the newest live value was received, and when the tiles show it. */
export function watchTiles() {
  window.shownAfter_ms = [];
  let gateway_time = 0;
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...how) {
      super(...how);
      this.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data);
        const live = message.type === "readings" ? message.rows.filter((row) => !row.late) : [];
        gateway_time = live.at(-1)?.outcome.gateway_time ?? gateway_time;
      });
    }
  };
  let last = "";
  const look = () => {
    const figures = document.querySelectorAll(".now .tile[data-vital] .figure");
    const text = [...figures].map((figure) => figure.textContent).join("/");
    if (text === last) return;
    last = text;
    const received = gateway_time;
    requestAnimationFrame(() => requestAnimationFrame(() => window.shownAfter_ms.push(Date.now() - received)));
  };
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

/** Waits for numbers to change on a page that watches, and prints how long each took. */
export async function measure(where, doctor) {
  await until("the oximeter is live", async () => (await doctor.tile("spo2").getAttribute("data-state")) === "now");
  await doctor.page.evaluate(() => window.shownAfter_ms.splice(0));
  const shown = () => doctor.page.evaluate(() => window.shownAfter_ms);
  await until(`${VALUES} new numbers were shown`, async () => (await shown()).length >= VALUES, PATIENCE_MS);
  const after_ms = (await shown()).sort((one, other) => one - other);
  const at = (share) => after_ms[Math.min(after_ms.length - 1, Math.floor(after_ms.length * share))];
  console.log(`page, ${where}: from the gateway's receipt of a frame to the number on the doctor's page, in Chromium`);
  console.log(`  n ${after_ms.length}  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${after_ms.at(-1)} ms`);
}
