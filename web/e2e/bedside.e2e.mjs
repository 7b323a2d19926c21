// The nurse's tablet beside the patient: the stethoscope sounds at the doctor's as it sounds at the
// bed, and where no moving picture is given, stills come and say how old they are. Its browser
// encodes H.264 and nothing else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { codecsOf, encodesH264Alone } from "./bedside/codecs.mjs";
import { record } from "./bedside/record.mjs";
import { PERIOD, response, sweep, writeWav } from "./bedside/sweep.mjs";
import { Broker } from "./broker.mjs";
import { House } from "./house.mjs";
import { seeAndHearEachOther, seesAndHears } from "./media.mjs";
import { bedsideCall, Doctor, Nurse } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { FUMI } from "./world.mjs";

/** Of everything from 20 to 1000 Hz, against 500 Hz. */
const WITHIN_DB = 3;
/** A heart needs more than a voice is sent with, whatever the browser thinks of it. */
const CHEST_KBIT = 56;
/** More than so many made-up samples of a thousand, and a recording says nothing. */
const MADE_UP_MAX = 2;
const RECORDINGS_MAX = 4;

const house = new House("bedside");
const sent = sweep();
let broker, mainland, island, abe, nurse;

before(async () => {
  broker = await Broker.all(house);
  const heart = house.folder("sweep.wav");
  writeWav(heart, sent);
  // The recorder is no part of the page.
  mainland = await Screens.open(house, { context: { bypassCSP: true } });
  // Whatever input is opened at the bed, this is what it hears.
  island = await Screens.open(house, { flags: [`--use-file-for-fake-audio-capture=${heart}`] });
  abe = new Doctor(await mainland.screen("abe", "desktop"));
  nurse = new Nurse(await island.screen("nurse", "tablet"));
  await nurse.page.addInitScript(encodesH264Alone);
});

after(async () => {
  await Promise.all([mainland?.close(), island?.close()]);
  await broker?.stop();
  house.leave();
});

test("a doctor and a nurse at the bedside are in a call; nobody listens to a chest yet", async () => {
  await bedsideCall(broker, abe, nurse, FUMI);
  await nurse.takeConsent();
  await seeAndHearEachOther([abe, nurse]);
  assert.equal(await abe.page.getByText("聴診音").count(), 0);
  assert.deepEqual(await codecsOf(abe.page), { gets: ["video/H264"], sends: ["video/VP8"] });
});

test("the nurse starts auscultation: both pages say so, and the microphone is what it was", async () => {
  const before = await inputsOf(nurse.page);
  assert.deepEqual(before, [VOICE]);
  await nurse.act("auscultate").click();
  await nurse.sees("聴診器の音を送っています");
  await abe.sees("聴診音：看護師");
  await abe.sees("ヘッドホンで聞いてください");
  assert.deepEqual(await inputsOf(nurse.page), [VOICE, CHEST]);
  await seesAndHears(abe.page, "the doctor");
  await abe.look("doctor-auscultation");
  await nurse.look("nurse-auscultation");
});

test("a sweep from 20 to 1000 Hz arrives within 3 dB", async (t) => {
  for (let recording = 1; ; recording += 1) {
    const { samples, madeUp } = await record(abe.page, PERIOD);
    const heard = response(sent, samples);
    const told = heard.map(({ centre, db }) => `${centre} Hz ${db.toFixed(1)}`).join(", ");
    t.diagnostic(`dB against 500 Hz: ${told}; ${madeUp.toFixed(1)} ‰ made up`);
    if (madeUp > MADE_UP_MAX && recording < RECORDINGS_MAX) continue;
    const beyond = heard.filter(({ db }) => !(Math.abs(db) <= WITHIN_DB));
    assert.deepEqual(beyond, []);
    return;
  }
});

test("the chestpiece's line keeps a rate of its own, above a voice's", async (t) => {
  const rates = await soundRates(nurse.page);
  const [voice, chest] = rates.sort((one, other) => one - other);
  t.diagnostic(`voice ${voice.toFixed(0)} kbit/s, chestpiece ${chest.toFixed(0)} kbit/s`);
  assert.equal(rates.length, 2);
  assert.ok(chest >= CHEST_KBIT, `${chest} kbit/s`);
});

test("the nurse ends it: the line is silent, the voice goes on", async () => {
  await nurse.act("auscultate").click();
  await nurse.button("聴診を始める").waitFor();
  await abe.seesNoMore("聴診音：看護師");
  await until("the chestpiece is let go", async () => (await inputsOf(nurse.page)).length === 1);
  await seesAndHears(abe.page, "the doctor");
});

test("on the doctor's choice the tablet gets stills: each newer than the last, with its age", async () => {
  await abe.page.locator('[data-pin="stills"]').click();
  const still = nurse.page.locator(".seat img.still");
  await still.waitFor();
  assert.match(await still.getAttribute("alt"), /^医師.*の静止画$/);
  await until("it is a picture", () => still.evaluate((image) => image.naturalWidth > 0 && image.naturalHeight > 0));
  await nurse.sees("動く映像を止めて");
  await nurse.look("nurse-stills");
  const ages = new Set();
  const first = await still.getAttribute("src");
  await until("a newer one has come, and ages were told", async () => {
    ages.add(await nurse.page.locator(".seat .still-age").innerText());
    return (await still.getAttribute("src")) !== first && ages.size >= 3;
  });
  for (const age of ages) assert.match(age, /^(\d+秒前|たった今)の静止画$/);
  assert.equal(await abe.page.locator(".seat img.still").count(), 0, "the doctor sees the bed move");
  await seesAndHears(abe.page, "the doctor");
});

test("the line decides again: the picture moves and no still is left", async () => {
  await abe.page.locator('[data-pin="auto"]').click();
  await nurse.page.locator(".seat img.still").waitFor({ state: "detached" });
  // The line feels its way up again, on a busy machine over several steps.
  await seesAndHears(nurse.page, "the nurse", 90_000);
});

test("no page stumbled, and nothing was found by the look over accessibility", () => {
  for (const screens of [mainland, island]) {
    assert.deepEqual(screens.errors, []);
    assert.deepEqual(screens.violations, []);
  }
});

const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const CHEST = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** What a page sends on each of its lines of sound that send, in kbit/s. */
function soundRates(page) {
  return page.evaluate(async () => {
    const connection = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
    const look = async () => {
      const lines = [...(await connection.getStats()).values()].filter(({ type, kind }) => type === "outbound-rtp" && kind === "audio");
      return new Map(lines.map(({ mid, bytesSent, timestamp }) => [mid, { bytesSent, timestamp }]));
    };
    const before = await look();
    await new Promise((over) => setTimeout(over, 3_000));
    const after = await look();
    const rates = [...after].map(([mid, { bytesSent, timestamp }]) => {
      const then = before.get(mid);
      return (8 * (bytesSent - then.bytesSent)) / (timestamp - then.timestamp);
    });
    return rates.filter((rate) => rate > 0);
  });
}

/** How each sound that a page sends is caught. */
function inputsOf(page) {
  return page.evaluate(() => {
    const connection = window.connectionsOfTest.filter((one) => one.connectionState === "connected").at(-1);
    const tracks = connection.getSenders().map((sender) => sender.track);
    const sounds = tracks.filter((track) => track?.kind === "audio" && track.readyState === "live");
    return sounds.map((track) => {
      const { echoCancellation, noiseSuppression, autoGainControl } = track.getSettings();
      return { echoCancellation, noiseSuppression, autoGainControl };
    });
  });
}
