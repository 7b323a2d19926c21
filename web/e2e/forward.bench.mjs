// What forwarding costs with real browsers, beside Debian's janus, the same for both servers: one page that
// speaks and films and eight that hear and see it, then three that do both. Both calls last from beginning to
// end and take turns to carry something. A round that does not become whole fails the benchmark. Tells as well
// what each server is asked to send again and how it encrypts, so that a difference has a chance to be understood.
// With `--growth` it is what each further listener adds, without janus.
//
// `MINATO_BIN=../target/release node e2e/forward.bench.mjs [--cast 1-8|3-3] [--growth] [--rounds 5] [--seconds 8]`

import { createSocket } from "node:dgram";
import { parseArgs } from "node:util";
import { Janus } from "./forward/janus.mjs";
import { Minato } from "./forward/minato.mjs";
import { Page } from "./forward/pages.mjs";
import { machine_s } from "./forward/server.mjs";
import { flaw, span } from "./forward/tally.mjs";
import { House } from "./house.mjs";
import { quantile } from "./island/recovery.mjs";
import { Screens } from "./screen.mjs";

/** How many publish, and how many there are. */
const CASTS = { "1-8": [1, 9], "3-3": [3, 3] };
const GROWING = [2, 4, 8];
const GOAL = 0.4;
/** So many short looks in a row have to show a whole call before it is measured. */
const STEADY_LOOKS = 3;
const LOOK_MS = 1_000;
const STEADY_WITHIN_MS = 90_000;

const { values } = parseArgs({
  options: {
    cast: { type: "string", default: "" },
    growth: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
  },
});
const [rounds, seconds] = [values.rounds, values.seconds].map(Number);

const median = (values) => quantile(values, 0.5);
const pause = (ms) => new Promise((over) => setTimeout(over, ms));

/** The address by which this machine reaches others: janus takes no media on loopback. Nothing is sent. */
async function ownAddress() {
  const socket = createSocket("udp4");
  await new Promise((done, failed) => {
    socket.once("error", failed);
    socket.connect(9, "198.51.100.1", done);
  });
  const { address } = socket.address();
  socket.close();
  return address;
}

/** A stretch of the call, with what the server and the machine spent on it. */
async function stretch(server, pages, ms) {
  const look = () => Promise.all(pages.map((page) => page.counts()));
  const spent = () => ({ server: server.cpu_s, machine: machine_s() });
  const [began, before] = [spent(), await look()];
  await pause(ms);
  const [ended, after] = [spent(), await look()];
  const machine = (of) => ended.machine[of] - began.machine[of];
  return { ...span(before, after), cpu_s: ended.server - began.server, busy: machine("busy") / machine("all") };
}

/** Waits until everything arrives, then measures; anew if it does not last. */
async function measure({ server, pages, publishers }) {
  const end = performance.now() + STEADY_WITHIN_MS;
  let steady = 0;
  let last;
  while (performance.now() < end) {
    const measured = steady === STEADY_LOOKS;
    const found = await stretch(server, pages, measured ? 1_000 * seconds : LOOK_MS);
    last = flaw(found, publishers);
    if (measured && last) console.log(`  ${server.name}: ${last}; waiting for a whole call again`);
    if (measured && !last) return found;
    steady = last ? 0 : steady + 1;
  }
  throw new Error(`${server.name}: no whole call within ${STEADY_WITHIN_MS} ms: ${last ?? "none that lasted"}`);
}

/** CPU-seconds a million delivered packets. */
const aMillion = ({ cpu_s, delivered }) => (1e6 * cpu_s) / delivered;

async function round(call) {
  const { server, pages, publishers, name } = call;
  const play = (on) => Promise.all(pages.slice(0, publishers).map((page) => page.play(on)));
  await play(true);
  const found = await measure(call);
  await play(false);
  const { delivered, due, cpu_s, busy, seconds: lasted } = found;
  const rate = (found.sum(({ sent }) => sent.packets) / lasted / publishers).toFixed(0);
  console.log(
    `  ${name}, ${server.name}: ${aMillion(found).toFixed(1)}, ${delivered} of ${due} delivered, ` +
      `${rate} packets/s published by each, ${cpu_s.toFixed(2)} s, machine ${(100 * busy).toFixed(0)} % busy`,
  );
  return found;
}

/** What else went over a server's lines, a second, and how it was encrypted. */
function explain({ server: { name } }, all) {
  const a_second = (of) => median(all.map((found) => found.sum(of) / found.seconds)).toFixed(1);
  const ciphers = [...new Set(all.flatMap(({ people }) => people.flatMap((one) => one.ciphers)))].join(", ");
  const both = (of) => (one) => of(one.picture) + of(one.sound);
  const asked = (which) => a_second(({ received }) => both((line) => line[which])(received));
  console.log(
    `  ${name}, a second: NACKs of who receives ${asked("nacks")}, PLIs ${asked("plis")}, lost ${asked("lost")}, ` +
      `packets sent to them again or as padding ${a_second(({ received }) => received.picture.again)}, ` +
      `packets from all that are no media ${a_second((one) => one.control)}; ` +
      `who publishes is asked by NACK ${a_second(({ sent }) => sent.picture.nacks)}, ` +
      `by PLI ${a_second(({ sent }) => sent.picture.plis)}, sends again ${a_second(({ sent }) => sent.picture.again)}; SRTP ${ciphers}`,
  );
}

/** What every call showed in every round; they take turns. */
async function inTurns(calls) {
  const found = calls.map(() => []);
  for (let number = 1; number <= rounds; number += 1) {
    for (const [at, call] of calls.entries()) found[at].push(await round(call));
  }
  return found;
}

async function compare(calls) {
  const found = await inTurns(calls);
  for (const [at, call] of calls.entries()) explain(call, found[at]);
  const costs = found.map((all) => all.map(aMillion));
  const ratio = median(costs[0].map((own, at) => own / costs[1][at])).toFixed(2);
  const [own, other] = costs.map((all) => median(all).toFixed(1));
  console.log(`  ${calls[0].name}: minato ${own}, janus ${other}, ratio ${ratio} (goal: at most ${GOAL}), medians`);
}

/** What each listener costs with so many of them: a straight line would be the same all the way. */
async function grow(calls) {
  const found = await inTurns(calls);
  const shares = found.map((all) => median(all.map(({ cpu_s, seconds: lasted }) => (100 * cpu_s) / lasted)));
  for (const [at, share] of shares.entries()) {
    const added = at === 0 ? share / GROWING[0] : (share - shares[at - 1]) / (GROWING[at] - GROWING[at - 1]);
    const each = at === 0 ? "each, with all that one call takes" : "for each one more";
    console.log(`  1-${GROWING[at]}: ${share.toFixed(2)} % of a core, ${added.toFixed(2)} % ${each}`);
  }
}

if (values.cast && !CASTS[values.cast]) throw new Error(`there is no cast ${values.cast}`);
if (!values.growth && !Janus.isInstalled) {
  throw new Error("there is no janus to compare with; `apt-get install --no-install-recommends janus` brings it");
}
const house = new House("forward");
const ip = await ownAddress();
const screens = await Screens.open(house);

/** Seats people at servers of their own and lets them go when `act` is over. */
async function stage(seats, act) {
  const calls = [];
  try {
    for (const { Server, name, publishers, people } of seats) {
      const call = { server: await Server.start(house, ip), pages: [], publishers, name };
      calls.push(call);
      call.pages = await Page.all(screens.browser, people);
      await call.server.seat(call.pages, publishers);
    }
    await act(calls);
  } finally {
    await Promise.all(calls.map(({ server }) => server.stop()));
    for (const { pages } of calls) await Promise.all(pages.map((page) => page.close()));
  }
}

function beside(name) {
  const [publishers, people] = CASTS[name];
  const seats = [Minato, Janus].map((Server) => ({ Server, name, publishers, people }));
  return stage(seats, compare);
}

function growing() {
  const seat = (listeners) => ({ Server: Minato, name: `1-${listeners}`, publishers: 1, people: 1 + listeners });
  return stage(GROWING.map(seat), grow);
}

try {
  console.log("forward, real browsers: CPU-seconds of the server a million delivered packets");
  if (values.growth) await growing();
  else for (const name of values.cast ? [values.cast] : Object.keys(CASTS)) await beside(name);
} finally {
  await screens.close();
  house.leave();
}
