// How much of a voice gets through poor links: two real browsers in a call over the real binary, the
// doctor on the mainland beside it, the nurse on the island. Prints one line a link and direction.
//
// `node e2e/island/voices.bench.mjs [--seconds 25] [--settle 10] [--only 128k10,64k15] [--json FILE]`

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { BIN } from "../broker.mjs";
import { keepConnections, seeAndHearEachOther } from "../media.mjs";
import { Doctor, Nurse } from "../people.mjs";
import { Program } from "../process.mjs";
import { DEVICES } from "../screen.mjs";
import { hears } from "./heard.mjs";
import { beginBesideALink, chromiumOn, isBesideTheLink, Link, MAINLAND_ADDRESS, programOn, speech } from "./shores.mjs";

const WIRE = "delay 0, jitter 0, loss 0, burst none, rate none, queue 500";
const LINKS = [
  ["wire", WIRE],
  ["600 ms", "delay 300"],
  ["512k 5 %", "delay 50, loss 5, rate 512k"],
  ["128k 10 %", "delay 50, loss 10, rate 128k"],
  ["64k 15 %", "delay 50, loss 15, rate 64k"],
  ["512k 5 % 600 ms", "delay 300, loss 5, rate 512k"],
  ["256k 5 % 600 ms", "delay 300, loss 5, rate 256k"],
  ["128k 10 % 600 ms", "delay 300, loss 10, rate 128k"],
  ["64k 15 % 600 ms", "delay 300, loss 15, rate 64k"],
  // What the machine itself does to a voice: where this differs from the first line, distrust the rest.
  ["wire again", WIRE],
];
const ORIGIN = `http://${MAINLAND_ADDRESS}:8080`;
const FUMI = { name: "田中 ふみ", kana: "たなか ふみ", birth: "1938-05-05", phone: "0599-00-0004", place: "港島診療所" };
const DOCTOR_SAYS =
  "Good morning. How did you sleep, and how is your breathing today? I would like to hear about the cough first, " +
  "then about your legs, and please tell me whether you took the small white tablet after breakfast as we said. ";
const NURSE_SAYS =
  "She slept well until about four. The cough is better, but her left ankle is a little thicker than yesterday. " +
  "We measured her blood pressure twice this morning, sitting, with ten minutes between, and wrote both down. ";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "25" },
    settle: { type: "string", default: "10" },
    only: { type: "string" },
    json: { type: "string" },
  },
});

const only = options.only?.split(",");

/** Somebody with a browser of their own on one side. */
async function person(Kind, who, side, words, pitch, device, folder) {
  const recording = speech(folder, who, words, pitch);
  const browser = await chromium.launch(chromiumOn(side, recording, folder, ORIGIN));
  const context = await browser.newContext(DEVICES[device]);
  await context.addInitScript(keepConnections);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return Object.assign(new Kind({ page, who }), { browser });
}

async function clinic(folder) {
  const places = ["--listen", `${MAINLAND_ADDRESS}:8080`, "--media", `${MAINLAND_ADDRESS}:0`, "--data", `${folder}/data`];
  const minato = programOn("mainland", `${BIN}/minato`, folder);
  const program = new Program(minato, ["--demo", "--demo-beyond-loopback", ...places]);
  await program.says(/Each link signs in once/);
  return { program, link: (account) => new RegExp(`^ *${account} .*?(http://\\S+)$`, "m").exec(program.said)[1] };
}

/** The call from the bedside, set up over a wire. */
async function call(doctor, nurse, { link }) {
  await Promise.all([doctor.signIn(link("abe")), nurse.signIn(link("nurse"))]);
  await nurse.act("admit").click();
  const code = await nurse.admit(FUMI);
  await doctor.goOnDuty();
  await nurse.ready();
  await doctor.callOne(code);
  await nurse.answer();
  await doctor.isInVisit();
  await nurse.confirmIdentity();
  await doctor.confirmIdentity();
  await nurse.takeConsent();
  await seeAndHearEachOther([doctor, nurse], 30_000);
}

function line(name, direction, got) {
  const cells = got
    ? [
        got.concealed_percent.toFixed(2),
        got.audible_percent.toFixed(2),
        got.lost_percent.toFixed(1),
        got.voice_kbit_s.toFixed(0),
        got.path_kbit_s.toFixed(0),
        got.buffer_ms.toFixed(0),
        got.frames_s.toFixed(1),
        got.frozen_s.toFixed(1),
        String(got.width),
        String(got.rtt_ms),
      ]
    : ["no sound", ...Array(9).fill("-")];
  return `| ${[name.padEnd(16), direction.padEnd(14), ...cells.map((cell) => cell.padStart(9))].join(" | ")} |`;
}

const HEAD = ["concealed", "audible %", "lost %", "voice kb", "path kb", "buffer ms", "frames/s", "frozen s", "width", "rtt ms"];

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), "minato-voices-"));
  const link = new Link();
  const rows = [];
  const open = [];
  try {
    const broker = await clinic(folder);
    open.push(() => broker.program.end());
    const doctor = await person(Doctor, "abe", "mainland", DOCTOR_SAYS, 30, "desktop", folder);
    open.push(() => doctor.browser.close());
    const nurse = await person(Nurse, "nurse", "island", NURSE_SAYS, 70, "tablet", folder);
    open.push(() => nurse.browser.close());
    await call(doctor, nurse, broker);
    console.log(`| ${["link".padEnd(16), "who hears".padEnd(14), ...HEAD.map((cell) => cell.padStart(9))].join(" | ")} |`);
    for (const [name, shape] of LINKS) {
      if (only && !only.includes(name.replaceAll(/[ %]/g, ""))) continue;
      await link.say(`${WIRE}, ${shape}`);
      // The senders' estimates follow the link; what is measured is the state after it.
      await new Promise((settled) => setTimeout(settled, Number(options.settle) * 1000));
      const [down, up] = await Promise.all([nurse, doctor].map(({ page }) => hears(page, Number(options.seconds))));
      rows.push({ link: name, shape, nurse: down, doctor: up });
      console.log(line(name, "nurse (down)", down));
      console.log(line(name, "doctor (up)", up));
      await link.say(WIRE);
      await seeAndHearEachOther([doctor, nurse], 60_000);
    }
    if (options.json) writeFileSync(options.json, JSON.stringify(rows, undefined, 2));
  } finally {
    for (const close of open.reverse()) await close().catch(() => undefined);
    link.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isBesideTheLink) {
  await measure();
} else {
  process.exitCode = await beginBesideALink();
}
