// A picture of a device's display beside typed values: from the camera of nurse and patient to the
// doctor's eyes, without what a camera writes into a file, and never in the way of the value.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker } from "./broker.mjs";
import { House } from "./house.mjs";
import { bedsideCall, Doctor, Nurse, Patient } from "./people.mjs";
import { exifOf, pictureOf } from "./photos/camera.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { figure, FUMI } from "./world.mjs";

const EDGE_PX_MAX = 1_600;
const BYTES_MAX = 1_500_000;

const house = new House("photos");
let broker, screens, abe, mori, nurse, hana;
let failed = false;

before(async () => {
  broker = await Broker.all(house);
  screens = await Screens.open(house);
  abe = new Doctor(await screens.screen("abe", "desktop"));
  mori = new Doctor(await screens.screen("mori", "desktop"));
  nurse = new Nurse(await screens.screen("nurse", "tablet"));
  hana = new Patient(await screens.screen("hana", "phone"));
});

after(async () => {
  await screens?.close();
  await broker?.stop();
  house.leave();
});

function step(sentence, play) {
  test(sentence, async () => {
    assert.ok(!failed, "a step before this one failed");
    try {
      await play();
    } catch (error) {
      failed = true;
      await screens.pictureAll("failed");
      throw error;
    }
  });
}

step("the nurse types what the cuff shows and takes a picture of it", async () => {
  await bedsideCall(broker, abe, nurse, FUMI);
  await nurse.takeConsent();
  await type({ systolic: "128", diastolic: "82" });
  const picture = await pictureOf(nurse.page, "128 / 82", 4_000, 3_000);
  assert.ok(exifOf(picture), "the camera writes where and when into the file");
  await camera(nurse).setInputFiles({ name: "IMG_0001.jpg", mimeType: "image/jpeg", buffer: picture });
  await nurse.page.locator(".photo-small").waitFor();
  await nurse.look("nurse-photo");
  await nurse.act("enter-reading").click();
});

step("the doctor sees that there is one, and opens it beside the value", async () => {
  await until("128/82 is there", async () => /128\D*82/.test(await figure(abe.tile("pressure"))));
  const taken = abe.page.waitForResponse((answer) => /\/api\/photos\/[0-9a-f]{32}/.test(answer.url()));
  await abe.act("see-photo", abe.tile("pressure")).click();
  const answer = await taken;
  const headers = await answer.allHeaders();
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-content-type-options"], "nosniff");
  const bytes = await answer.body();
  assert.ok(bytes.length < BYTES_MAX && !exifOf(bytes), "what the camera wrote is gone");
  // Whatever is in an address says nothing of anybody: a drawn name, and for whom the page is.
  assert.match(answer.url(), /\/api\/photos\/[0-9a-f]{32}\?as=doctor$/);
  assert.deepEqual(await shownSize(abe), [EDGE_PX_MAX, EDGE_PX_MAX * 0.75]);
  await abe.look("doctor-photo");
  await abe.press("閉じる", abe.page.getByRole("dialog"));
  await abe.press("表で見る");
  await abe.act("see-photo", abe.page.locator(".readings")).click();
  assert.deepEqual(await shownSize(abe), [EDGE_PX_MAX, EDGE_PX_MAX * 0.75]);
  await abe.press("閉じる", abe.page.getByRole("dialog"));
  await abe.look("doctor-photo-table");
  await abe.press("図で見る");
});

step("a picture that does not get through is told, and the value is there all the same", async () => {
  const unfit = { code: "photo_unfit", message: "no" };
  await nurse.page.route("**/api/photos?*", (route) => route.fulfill({ status: 400, json: unfit }));
  await type({ pulse_rate: "72" });
  await camera(nurse).setInputFiles(await file(nurse, "72"));
  await nurse.page.locator(".photo-small").waitFor();
  await nurse.act("enter-reading").click();
  await until("the doctor has 72", async () => (await figure(abe.tile("pulse"))) === "72");
  await nurse.sees("値は届きましたが、写真を送れませんでした。");
  assert.equal(await abe.act("see-photo", abe.tile("pulse")).count(), 0);
  await nurse.look("nurse-photo-failed");
  await nurse.page.unroute("**/api/photos?*");
  await nurse.act("photo-again").click();
  await abe.act("see-photo", abe.tile("pulse")).waitFor();
  await nurse.seesNoMore("写真を送れませんでした");
});

step("an entry without a picture is as before", async () => {
  await type({ temperature: "36.5" });
  await nurse.act("enter-reading").click();
  await until("36.5 is there", async () => (await figure(abe.tile("temperature"))) === "36.5");
  assert.equal(await abe.act("see-photo", abe.tile("temperature")).count(), 0);
});

step("what is no picture is said at once", async () => {
  await type({ spo2: "97" });
  await camera(nurse).setInputFiles({ name: "notes.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") });
  await nurse.sees("写真として読めないか、大きすぎます");
  await nurse.press("やめる", nurse.page.locator(".typing form"));
});

step("a patient at home takes one of an own device, and the doctor who has the patient sees it", async () => {
  await hana.open(broker.patientLink);
  await hana.join();
  await hana.act("own-values").tap();
  await hana.page.locator("[name=systolic]").fill("141");
  await hana.page.locator("[name=diastolic]").fill("88");
  await camera(hana).setInputFiles(await file(hana, "141 / 88"));
  await hana.page.locator(".photo-small").waitFor();
  await hana.look("patient-photo");
  const kept = hana.page.waitForResponse((answer) => answer.url().includes("/api/photos"));
  await hana.act("enter-reading").tap();
  assert.equal((await kept).status(), 201);
  await hana.sees("先生に伝えました");
  const code = await hana.code();
  await mori.signIn(broker.staffLink("mori"));
  await mori.goOnDuty();
  await mori.callOne(code);
  await hana.answer();
  await mori.isInVisit();
  await Promise.all([mori.confirmIdentity(), hana.confirmIdentity()]);
  await hana.consent();
  await mori.act("see-photo", mori.tile("pressure")).click();
  assert.deepEqual(await shownSize(mori), [1_200, 900]);
  await mori.look("doctor-patients-photo");
});

test("nobody met a page that was hard to use or an error", () => {
  assert.deepEqual(screens.violations, []);
  assert.deepEqual([...screens.requests], [broker.origin]);
});

async function type(texts) {
  await nurse.act("type-values").click();
  for (const [what, text] of Object.entries(texts)) await nurse.page.locator(`.typing [name=${what}]`).fill(text);
}

function camera(person) {
  return person.page.locator("input[name=photo]");
}

async function file(person, words) {
  return { name: "IMG_0002.jpg", mimeType: "image/jpeg", buffer: await pictureOf(person.page, words, 1_200, 900) };
}

/** How large the picture is that somebody has open. */
async function shownSize(person) {
  const picture = person.page.locator("dialog img.photo");
  await until(`${person.who} sees it`, () => picture.evaluate((image) => image.complete && image.naturalWidth > 0));
  return picture.evaluate((image) => [image.naturalWidth, image.naturalHeight]);
}
