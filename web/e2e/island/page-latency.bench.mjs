// From the box on the wall of an island to the doctor's eyes on the mainland, with a call over the same
// line: 200 ms there and back, and of what is sent one in twenty lost each way.

import { measure, watchTiles } from "../page-latency.mjs";
import { OXIMETER } from "../world.mjs";
import { IslandClinic } from "./clinic.mjs";
import { beginBesideALink, isBesideTheLink } from "./shores.mjs";

const LINE = "delay 100, loss 5";

async function begin() {
  let clinic;
  try {
    clinic = await IslandClinic.open("page-latency");
    await clinic.call(OXIMETER);
    await clinic.doctor.page.addInitScript(watchTiles);
    await clinic.shape(LINE);
    await clinic.callAnew();
    await measure(LINE, clinic.doctor);
  } finally {
    await clinic?.close();
  }
}

if (isBesideTheLink) await begin();
else process.exitCode = await beginBesideALink();
