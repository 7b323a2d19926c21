// How long a value takes from the box on the wall to the doctor's eyes: from the moment the gateway
// received the device's frame (its own clock, the same machine) until the frame of the page after the
// one in which the tile changed. On the way it is written to the gateway's disk, sent, stored and told.

import { Broker } from "./broker.mjs";
import { Gateway } from "./gateway.mjs";
import { House } from "./house.mjs";
import { bedsideCall, Doctor, Nurse } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { FUMI, OXIMETER } from "./world.mjs";

const VALUES = 120;
/** The oximeter measures once a second; its tiles change only when a number does. */
const PATIENCE_MS = 15 * 60_000;

/** Runs in the doctor's page: notes when the newest live value was received, and when the tiles show it. */
function watchTiles() {
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

async function visit(house) {
  const broker = await Broker.all(house);
  const gateway = await Gateway.start(house, broker.origin, broker.enrolCode);
  const screens = await Screens.open(house);
  const abe = new Doctor(await screens.screen("abe", "desktop"));
  const nurse = new Nurse(await screens.screen("nurse", "tablet"));
  await abe.page.addInitScript(watchTiles);
  await bedsideCall(broker, abe, nurse, FUMI, OXIMETER);
  await until("the oximeter is live", async () => (await abe.tile("spo2").getAttribute("data-state")) === "now");
  return { abe, close: () => Promise.all([screens.close(), gateway.stop(), broker.stop()]) };
}

const house = new House("page-latency");
const { abe, close } = await visit(house);
await abe.page.evaluate(() => window.shownAfter_ms.splice(0));
const shown = () => abe.page.evaluate(() => window.shownAfter_ms);
await until(`${VALUES} new numbers were shown`, async () => (await shown()).length >= VALUES, PATIENCE_MS);
const after_ms = (await shown()).sort((one, other) => one - other);
const at = (share) => after_ms[Math.min(after_ms.length - 1, Math.floor(after_ms.length * share))];
console.log("page: from the gateway's receipt of a frame to the number on the doctor's page, in Chromium");
console.log(`  n ${after_ms.length}  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${after_ms.at(-1)} ms`);
await close();
house.leave();
