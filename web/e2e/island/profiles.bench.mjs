// The ladder's profiles, each with two real browsers and speech both ways: the doctor on the mainland, the
// nurse with an oximeter and a cuff on the island. How much of the voices is made up, whether every
// reading arrives once and in order, and whether the pages' words match what is sent. Prints a table
// in Markdown; ends with 1 when readings are lost or words are wrong for long.
//
// `node e2e/island/profiles.bench.mjs [--seconds 40] [--settle 20] [--only 512k5,blackout30s] [--json FILE]`

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { counted, flaws, rowsBetween } from "../readings.mjs";
import { until } from "../until.mjs";
import { CUFF, OXIMETER } from "../world.mjs";
import { IslandClinic } from "./clinic.mjs";
import { hears } from "./heard.mjs";
import { quantile } from "./recovery.mjs";
import { beginBesideALink, isBesideTheLink } from "./shores.mjs";
import { look } from "./told.mjs";
import { neededBy, Truth } from "./truth.mjs";

/** Each link, and how many percent of a voice may be made up on it. */
const PROFILES = [
  { name: "512k 5 %", shape: "delay 50, loss 5, rate 512k", goal: 1 },
  { name: "128k 10 %", shape: "delay 50, loss 10, rate 128k", goal: 2 },
  { name: "64k 15 %", shape: "delay 50, loss 15, rate 64k", goal: 5 },
  { name: "600 ms", shape: "delay 300" },
  // Sound is counted once it is over, words and readings all the while.
  { name: "black-out 30 s", shape: "delay 50", blackout_s: 30 },
];
const DEVICES = [OXIMETER, CUFF];
const LOOK_EVERY_MS = 1_000;
/** After a black-out a call may need so long to come back. */
const BACK_MS = 5_000;
/** What is on the gateway's disk is there by then, however poor the link. */
const DELIVERED_WITHIN_MS = 60_000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "40" },
    settle: { type: "string", default: "20" },
    only: { type: "string" },
    json: { type: "string" },
  },
});
const only = values.only?.split(",");
const chosen = PROFILES.filter(({ name }) => !only || only.includes(name.replaceAll(/[ %-]/g, "")));

const pause = (ms) => new Promise((over) => setTimeout(over, ms));

/** The mainland is beside the broker: the doctor's line has room for everything in every profile. */
const ROOMY = [{ own: true }, { theirs: true }];

/** Looks at both pages once a second until it is told to end. */
function follow(people) {
  const truths = people.map(() => new Truth());
  let ended = false;
  const looking = (async () => {
    while (!ended) {
      const looks = await Promise.all(people.map(({ page }) => look(page)));
      const [first, second] = looks.map(({ said }) => neededBy(said));
      for (const [at, asked] of [second, first].entries()) truths[at].take(looks[at], asked, ROOMY[at]);
      await pause(LOOK_EVERY_MS);
    }
  })();
  return async () => {
    ended = true;
    await looking;
    return truths;
  };
}

/** One profile: the link is what it is to be, settles, and is measured. */
async function run(clinic, { shape, blackout_s = 0 }) {
  const { gateway, doctor, nurse, people, link } = clinic;
  const from = await counted(gateway);
  await clinic.shape(shape);
  await pause(1_000 * Number(values.settle));
  await gateway.measure(CUFF);
  const end = follow(people);
  if (blackout_s > 0) {
    await link.say(`blackout ${blackout_s}s`);
    await pause(1_000 * blackout_s + BACK_MS);
  }
  const [down, up] = await Promise.all([nurse, doctor].map(({ page }) => hears(page, Number(values.seconds))));
  const [doctorTruth, nurseTruth] = await end();
  const readings = await delivered(clinic, from);
  return {
    readings,
    ways: [
      { who: "doctor, from the island", heard: up, truth: doctorTruth },
      { who: "nurse, towards it", heard: down, truth: nurseTruth },
    ],
  };
}

/** What the gateway took down since `from`, and what of it the doctor's page was sent, how, and how late. */
async function delivered({ gateway, doctor }, from) {
  const to = await counted(gateway);
  const sent = to.last_seq - from.last_seq;
  const all = () => rowsBetween(doctor.screen, from, to);
  await until("everything is there", () => all().length >= sent, DELIVERED_WITHIN_MS).catch(() => undefined);
  const rows = all();
  const delays = rows.map(({ heard, outcome }) => heard - outcome.gateway_time);
  const { twice, astray, silent } = flaws(rows, DEVICES);
  const [p50, p95] = [0.5, 0.95].map((share) => quantile(delays, share));
  const late = rows.filter((row) => row.late).length;
  return { sent, came: rows.length, twice, astray, silent, late, p50, p95 };
}

const HEAD = ["link", "who hears", "made up (goal)", "picture", "words true, longest not", "readings", "their delay p50 / p95"];

function cells({ name, goal }, { who, heard, truth }, readings) {
  const voice = heard ? `${heard.concealed_percent.toFixed(2)} % of ${(heard.samples / 1_000).toFixed(0)}k` : "no sound";
  const sizes = [...new Set(truth.seen.map(({ size }) => size))];
  const share = (size) => (100 * truth.seen.filter((one) => one.size === size).length) / truth.seen.length;
  const picture = sizes.map((size) => `${size} ${share(size).toFixed(0)} %`);
  const words = `${truth.true} of ${truth.looks}, ${(truth.worst_ms / 1_000).toFixed(1)} s`;
  const { sent, came, late, p50, p95 } = readings ?? {};
  const told = readings ? `${came} of ${sent}${late > 0 ? `, ${late} late` : ""}` : "";
  const delay = readings ? `${(p50 / 1_000).toFixed(2)} / ${(p95 / 1_000).toFixed(2)} s` : "";
  return [name, who, goal ? `${voice} (${goal} %)` : voice, picture.join(", "), words, told, delay];
}

/** In words, what must not be. */
function faults({ name }, { ways, readings }) {
  const found = [];
  const { sent, came, twice, astray, silent } = readings;
  if (came !== sent) found.push(`${came} readings came of ${sent}`);
  if (twice > 0) found.push(`${twice} readings came twice`);
  if (astray > 0) found.push(`${astray} readings out of order`);
  for (const device of silent) found.push(`nothing came of ${device}`);
  for (const { who, truth } of ways) {
    for (const [what, ms] of truth.faults) found.push(`the page of the ${who}: ${what} (${(ms / 1_000).toFixed(1)} s)`);
  }
  return found.map((fault) => `${name}: ${fault}`);
}

const row = (all) => `| ${all.join(" | ")} |`;

async function measure() {
  const rows = [];
  const all = [];
  let clinic;
  try {
    clinic = await IslandClinic.open("profiles", { talk: true });
    await clinic.call(...DEVICES);
    console.log(row(HEAD));
    console.log(row(HEAD.map(() => "---")));
    for (const profile of chosen) {
      const got = await run(clinic, profile);
      const [first, second] = got.ways;
      console.log(row(cells(profile, first, got.readings)));
      console.log(row(cells(profile, second)));
      all.push(...faults(profile, got));
      rows.push({ ...profile, ...got, ways: got.ways.map(({ truth, ...way }) => ({ ...way, ...told(truth) })) });
      if (values.json) writeFileSync(values.json, JSON.stringify(rows, undefined, 2));
      await clinic.shape();
      await clinic.callAnew();
    }
  } finally {
    await clinic?.close();
  }
  for (const fault of [...all, ...clinic.errors]) console.log(`WRONG ${fault}`);
  if (all.length > 0) process.exitCode = 1;
}

function told({ looks, true: right, longest, seen }) {
  return { looks, true: right, longest: Object.fromEntries(longest), seen };
}

if (isBesideTheLink) {
  await measure();
} else {
  process.exitCode = await beginBesideALink();
}
