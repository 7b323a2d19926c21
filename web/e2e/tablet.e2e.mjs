// A device that hangs at the nurse's tablet itself: on one patient at a time, given to another only when
// she says so, and on nobody once that patient was the wrong one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker } from "./broker.mjs";
import { emulate } from "./devices/emulated.mjs";
import { House } from "./house.mjs";
import { bedsideCall, Doctor, Nurse } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { figure, FUMI, KEN } from "./world.mjs";

const house = new House("tablet");
let broker, screens, abe, nurse, fumi, ken;
let failed = false;

before(async () => {
  broker = await Broker.all(house);
  screens = await Screens.open(house, { flags: ["--enable-features=WebBluetooth"] });
  abe = new Doctor(await screens.screen("abe", "desktop"));
  nurse = new Nurse(await screens.screen("nurse", "tablet"));
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

step("a thermometer is connected beside one patient, and the doctor has its value", async () => {
  await bedsideCall(broker, abe, nurse, FUMI);
  await nurse.takeConsent();
  fumi = await nurse.page.locator("header.head .code").innerText();
  // Celsius, 36.6 (Thermometer Service 1.0, 3.1).
  const bytes = [0x00, 0x6e, 0x01, 0x00, 0xff];
  const thermometer = { name: "Tablet Thermometer", service: 0x1809, characteristic: 0x2a1c, bytes };
  await emulate(screens.browser, nurse.page, thermometer);
  await nurse.act("web-bluetooth").click();
  await nurse.page.locator('[data-tablet][data-state="connected"]').waitFor();
  await until("the doctor has 36.6", async () => (await figure(abe.tile("temperature"))) === "36.6");
});

step("beside another patient it asks, and stays where it is when she says no", async () => {
  await nurse.act("admit").click();
  ken = await nurse.admit(KEN);
  await nurse.act("web-bluetooth").click();
  await nurse.sees("いま別の方に付いています");
  await nurse.look("nurse-tablet-taken");
  await nurse.press("やめる", nurse.page.getByRole("dialog"));
  await nurse.open(fumi);
  await nurse.page.locator('[data-tablet][data-state="connected"]').waitFor();
});

step("with her word it comes off the first patient, and the doctor reads so", async () => {
  await nurse.open(ken);
  await nurse.act("web-bluetooth").click();
  await nurse.act("tablet-take-over").click();
  await until("it measures for the other one", async () => (await figure(nurse.tile("temperature"))) === "36.6");
  await nurse.open(fumi);
  assert.equal(await nurse.page.locator("[data-tablet]").count(), 0);
  await abe.page.locator(".attachments summary").click();
  const line = abe.page.locator("[data-attached]").last();
  await until("the doctor reads that it came off", async () => /付け替えました|に外しました/.test(await line.innerText()));
  await abe.look("doctor-tablet-taken");
});

test("nobody met a page that was hard to use or an error", () => {
  assert.deepEqual(screens.violations, []);
  assert.deepEqual(screens.errors, []);
  assert.deepEqual([...screens.requests], [broker.origin]);
});
