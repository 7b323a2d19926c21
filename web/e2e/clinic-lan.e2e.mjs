// The line of the island is cut: the nurse beside the patient goes on with the clinic's own box by
// HTTPS, and when the line is back the doctor has what was measured, once and on the right patient.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Broker } from "./broker.mjs";
import { Cable } from "./cable.mjs";
import { Gateway } from "./gateway.mjs";
import { House } from "./house.mjs";
import { Doctor, Nurse } from "./people.mjs";
import { freePort } from "./process.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { CUFF, CUFF_TAKES_MS, figure, FUMI, KEN, OXIMETER } from "./world.mjs";

const CUT = "電波が切れています";
const DIRECT = "先生には、いまは見えていません";
const FROM_BOX = "箱から直接・先生には未着";

const house = new House("clinic-lan");
let broker, cable, gateway, lan, authority, screens, abe, nurse, fumi, ken, pressure;
/** The pass that the nurse's page showed last. */
let pass = "";
let failed = false;

before(async () => {
  broker = await Broker.all(house);
  cable = await Cable.to(broker.port);
  const port = await freePort();
  lan = `https://127.0.0.1:${port}`;
  gateway = await Gateway.start(house, cable.origin, broker.enrolCode, { options: ["--lan", `127.0.0.1:${port}`] });
  const kept = house.folder("gateway");
  authority = readFileSync(join(kept, "lan-ca.pem"));
  // As on a tablet that was told to trust this box, and no other whose certificate nobody knows.
  const key = new X509Certificate(readFileSync(join(kept, "lan.127.0.0.1.pem"))).publicKey.export({ type: "spki", format: "der" });
  const trusted = createHash("sha256").update(key).digest("base64");
  screens = await Screens.open(house, { flags: [`--ignore-certificate-errors-spki-list=${trusted}`] });
  abe = new Doctor(await screens.screen("abe", "desktop"));
  nurse = new Nurse(await screens.screen("nurse", "tablet"));
  nurse.page.on("request", (request) => {
    if (request.url().startsWith(lan)) pass = request.headers().authorization ?? pass;
  });
});

after(async () => {
  await screens?.close();
  await gateway?.stop();
  await cable?.remove();
  await broker?.stop();
  house.leave();
});

function step(sentence, play) {
  test(sentence, async (t) => {
    assert.ok(!failed, "a step before this one failed");
    try {
      await play(t);
    } catch (error) {
      failed = true;
      await screens.pictureAll("failed");
      throw error;
    }
  });
}

step("while everything is well the page says that it could go on with the box", async () => {
  await abe.signIn(broker.staffLink("abe"));
  await abe.goOnDuty();
  await nurse.signIn(broker.staffLink("nurse").replace(broker.origin, cable.origin));
  await nurse.act("admit").click();
  ken = await nurse.admit(KEN);
  await nurse.attach(OXIMETER);
  await nurse.act("admit").click();
  fumi = await nurse.admit(FUMI);
  await nurse.page.locator('[data-ready="ready"]').waitFor();
  await nurse.look("nurse-box-ready");
  // Its words are there before they are needed.
  await nurse.lookInEnglish("nurse-box-ready-english");
  await nurse.ready();
  await abe.callOne(fumi);
  await nurse.answer();
  await abe.isInVisit();
  await Promise.all([abe.confirmIdentity(), nurse.confirmIdentity()]);
  await nurse.takeConsent();
  await nurse.sees("同意あり");
});

step("the line is cut: the nurse is told whom she works with, and that the doctor does not see it", async () => {
  cable.cut();
  await nurse.sees(CUT, 30_000);
  await nurse.page.locator('[data-direct="direct"]').waitFor({ timeout: 30_000 });
  await nurse.sees(DIRECT);
  await until("the box knows it too", async () => !(await gateway.status()).link.connected);
  await unfold();
  await nurse.device(OXIMETER).getByText(`${ken} に付いています`).waitFor();
});

step("she puts the cuff on through the box, measures, and reads the value with its label", async () => {
  const before = (await gateway.status()).waiting;
  await nurse.attach(CUFF);
  await nurse.measure(CUFF);
  await gateway.advance(CUFF_TAKES_MS);
  await until("the pressure is there", async () => (await nurse.tile("pressure").getAttribute("data-state")) === "now");
  pressure = await figure(nurse.tile("pressure"));
  assert.match(pressure, /^\d+\/\d+$/);
  assert.match(await nurse.tile("pressure").innerText(), new RegExp(FROM_BOX));
  assert.ok((await gateway.status()).waiting > before, "it waits on the box's disk");
  assert.equal(await abe.tile("pressure").getAttribute("data-state"), "empty", "the doctor has nothing of it");
  await nurse.look("nurse-direct");
  await nurse.lookInEnglish("nurse-direct-english");
});

step("a device of another patient is taken over only when she says so", async () => {
  await unfold();
  await nurse.act("attach", nurse.device(OXIMETER)).click();
  await nurse.sees(`いま ${ken} の方に付いています`);
  await nurse.look("nurse-direct-take-over");
  await nurse.act("attach-do").click();
  await nurse.act("detach", nurse.device(OXIMETER)).waitFor();
  // Longer than what may still be called live when it arrives.
  await gateway.advance(20_000);
  await until("its values come", async () => (await nurse.tile("spo2").getAttribute("data-state")) === "now");
});

step("the box's own page tells how it is, and nothing of a patient", async () => {
  const wall = await screens.screen("wall", "phone");
  await wall.page.goto(`${lan}/`);
  await wall.page.getByText("測定は続けられます").waitFor();
  const words = await wall.page.locator("body").innerText();
  for (const secret of [FUMI.name, KEN.name, fumi, ken, pressure]) assert.ok(!words.includes(secret), words);
  await wall.look("box-status");
  await wall.close();
});

step("the line is back: the page goes back to the broker, and the doctor has the value once", async () => {
  cable.mend();
  await nurse.seesNoMore(CUT, 30_000);
  await until("the page is with the broker", async () => (await nurse.page.locator("[data-direct]").count()) === 0);
  await abe.press("表で見る");
  const late = abe.page.locator(".readings tr", { hasText: "後着" }).filter({ hasText: pressure });
  await late.first().waitFor({ timeout: 30_000 });
  await abe.sees(FUMI.name);
  await abe.look("doctor-after-the-cut-table");
  await abe.press("図で見る");
  assert.notEqual(await abe.tile("pressure").getAttribute("data-state"), "now", "late is never now");
  await until("nothing is called the box's any more", async () => (await nurse.page.getByText(FROM_BOX).count()) === 0, 30_000);
  for (const person of [abe, nurse]) {
    const ids = person.screen.rows.filter(isPressure).map((row) => row.outcome.id);
    assert.equal(new Set(ids).size, 1, `${person.who} has one pressure`);
  }
  await abe.page.locator(".attachments summary").click();
  const line = abe.page.locator(`[data-attached="${CUFF}"]`).first();
  assert.match(await line.innerText(), /が \d+:\d\d に付けました/);
  await Promise.all([abe.look("doctor-after-the-cut"), nurse.look("nurse-after-the-cut")]);
  await unfold();
  await nurse.act("detach", nurse.device(OXIMETER)).waitFor();
});

step("whoever has signed out opens the box no more", async () => {
  assert.equal(await ask(pass), 200);
  await nurse.press("ログアウト");
  await until("the pass is taken back", async () => (await ask(pass)) === 401);
});

test("nobody met a page that was hard to use or an error", () => {
  assert.deepEqual(screens.violations, []);
  assert.deepEqual(screens.errors, []);
  assert.deepEqual([...screens.requests].sort(), [broker.origin, cable.origin, lan].sort());
});

function isPressure(row) {
  return row.outcome.characteristic === "blood_pressure";
}

/** What the box answers to a pass that somebody has copied. */
function ask(authorization) {
  return new Promise((answered, failed) => {
    const request = get(`${lan}/lan/seen`, { ca: authority, headers: { authorization } }, (answer) => {
      answer.resume();
      answered(answer.statusCode);
    });
    request.on("error", failed);
  });
}

/** Devices that are not on this patient are folded away during a visit. */
async function unfold() {
  const folded = nurse.page.locator(".devices-card > details.fold").first();
  if ((await folded.count()) === 0) return;
  if ((await folded.getAttribute("open")) === null) await folded.locator("summary").first().click();
}
