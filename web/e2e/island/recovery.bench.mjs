// Random drops of the link and changes of address in one call, again and again: how long until both
// hear and see each other, and whether the pages told the truth. One line each, then the quantiles.
//
// `node e2e/island/recovery.bench.mjs [--drops 100] [--moves 20] [--seed 1] [--from 1] [--to 30] [--minutes 60] [--json FILE]`

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OXIMETER } from "../world.mjs";
import { IslandClinic } from "./clinic.mjs";
import { dice, drop, move, quantile, runsFor } from "./recovery.mjs";
import { beginBesideALink, isBesideTheLink } from "./shores.mjs";

const NUMBERS = { drops: "100", moves: "20", seed: "1", from: "1", to: "30", minutes: "60" };

const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.entries(NUMBERS).map(([name, value]) => [name, { type: "string", default: value }])),
    json: { type: "string" },
  },
});
const options = { ...values, ...Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, Number(values[name])])) };

const FIELDS = ["sound_ms", "picture_ms", "word_ms", "screen_ms", "unsaid_ms", "stale_ms"];

function line(what, { back_ms, told }) {
  const figures = (one) => FIELDS.filter((field) => field in one).map((field) => `${field.replace("_ms", "")} ${one[field]}`);
  const people = Object.entries(told).map(([who, one]) => `${who}: ${figures(one).join(" ")}`);
  return `${what.padEnd(14)} back ${String(back_ms).padStart(5)} ms | ${people.join(" | ")}`;
}

function summary(name, all) {
  if (all.length === 0) return;
  const at = (pick) => [0.5, 0.95, 1].map((share) => quantile(all.map(pick), share)).join(" / ");
  const most = (field) => ({ told }) => Math.max(...Object.values(told).map((one) => one[field]));
  console.log(`${name}, ${all.length} times; median / p95 / most, ms`);
  console.log(`  media back ${at((one) => one.back_ms)}`);
  for (const field of FIELDS.filter((field) => field in Object.values(all[0].told)[0])) {
    console.log(`  ${field.padEnd(10)} ${at(most(field))}`);
  }
}

async function measure() {
  const random = dice(options.seed);
  const end = Date.now() + options.minutes * 60_000;
  const done = { drops: [], moves: [] };
  let clinic;
  try {
    clinic = await IslandClinic.open("recovery");
    await clinic.call(OXIMETER);
    await clinic.watch();
    for (let count = 0; count < options.moves; count += 1) {
      const came = await move(clinic, `203.0.113.${3 + (count % 90)}`);
      done.moves.push(came);
      console.log(line(`move ${count + 1}`, came));
      await runsFor(clinic.people, 1_000 + 3_000 * random());
    }
    for (let count = 0; count < options.drops && Date.now() < end; count += 1) {
      const length = 1_000 * (options.from + (options.to - options.from) * random());
      const came = await drop(clinic, length);
      const same = await clinic.isSameVisit();
      done.drops.push({ ...came, same });
      console.log(line(`drop ${count + 1} ${(length / 1_000).toFixed(1)} s${same ? "" : " OTHER VISIT"}`, came));
      await runsFor(clinic.people, 1_000 + 3_000 * random());
    }
  } finally {
    summary("changes of address", done.moves);
    summary("drops", done.drops);
    if (!done.drops.every(({ same }) => same)) process.exitCode = 1;
    if (options.json) writeFileSync(options.json, JSON.stringify(done, undefined, 2));
    for (const error of clinic?.errors ?? []) console.log(error);
    await clinic?.close();
  }
}

if (isBesideTheLink) {
  await measure();
} else {
  process.exitCode = await beginBesideALink();
}
