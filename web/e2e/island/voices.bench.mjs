// How much of a voice gets through poor links: two real browsers in a call over the real binary, the
// doctor on the mainland beside it, the nurse on the island. Prints one line a link and direction.
//
// `node e2e/island/voices.bench.mjs [--seconds 25] [--settle 10] [--only 128k10,64k15] [--json FILE]`

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { seeAndHearEachOther } from "../media.mjs";
import { IslandClinic } from "./clinic.mjs";
import { hears } from "./heard.mjs";
import { beginBesideALink, isBesideTheLink } from "./shores.mjs";

const LINKS = [
  ["wire", ""],
  ["600 ms", "delay 300"],
  ["512k 5 %", "delay 50, loss 5, rate 512k"],
  ["128k 10 %", "delay 50, loss 10, rate 128k"],
  ["64k 15 %", "delay 50, loss 15, rate 64k"],
  ["512k 5 % 600 ms", "delay 300, loss 5, rate 512k"],
  ["256k 5 % 600 ms", "delay 300, loss 5, rate 256k"],
  ["128k 10 % 600 ms", "delay 300, loss 10, rate 128k"],
  ["64k 15 % 600 ms", "delay 300, loss 15, rate 64k"],
  // What the machine itself does to a voice: where this differs from the first line, distrust the rest.
  ["wire again", ""],
];

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "25" },
    settle: { type: "string", default: "10" },
    only: { type: "string" },
    json: { type: "string" },
  },
});

const only = options.only?.split(",");

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
  const rows = [];
  let clinic;
  try {
    clinic = await IslandClinic.open("voices", { talk: true, box: false });
    await clinic.call();
    const { doctor, nurse, people } = clinic;
    console.log(`| ${["link".padEnd(16), "who hears".padEnd(14), ...HEAD.map((cell) => cell.padStart(9))].join(" | ")} |`);
    for (const [name, shape] of LINKS) {
      if (only && !only.includes(name.replaceAll(/[ %]/g, ""))) continue;
      await clinic.shape(shape);
      // The senders' estimates follow the link; what is measured is the state after it.
      await new Promise((settled) => setTimeout(settled, Number(options.settle) * 1000));
      const [down, up] = await Promise.all([nurse, doctor].map(({ page }) => hears(page, Number(options.seconds))));
      rows.push({ link: name, shape, nurse: down, doctor: up });
      console.log(line(name, "nurse (down)", down));
      console.log(line(name, "doctor (up)", up));
      await clinic.shape();
      await seeAndHearEachOther(people, 60_000);
    }
    if (options.json) writeFileSync(options.json, JSON.stringify(rows, undefined, 2));
  } finally {
    await clinic?.close();
  }
}

if (isBesideTheLink) {
  await measure();
} else {
  process.exitCode = await beginBesideALink();
}
