// What a nurse attaches, end to end: every kind of device up to the doctor's page, each fault by its
// name, what nobody may believe unseen, what a person typed, and whose a measurement is that came
// between two patients.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker } from "./broker.mjs";
import { emulate } from "./devices/emulated.mjs";
import { Gateway } from "./gateway.mjs";
import { House } from "./house.mjs";
import { Doctor, Nurse } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { CUFF, CUFF_TAKES_MS, figure, FUMI, KEN, NURSE_PIN, OXIMETER } from "./world.mjs";

const [THERMOMETER, STRAP, SCALE, GLUCOSE] = ["sim-thermometer-1", "sim-strap-1", "sim-scale-1", "sim-glucose-1"];
/** A simulated thermometer, scale or glucose meter has measured by then. */
const SPOT_TAKES_MS = 6_000;
/** A simulated fault is over by then; a clock is put right later. */
const FAULT_LASTS_MS = 11_000;
const CLOCK_WRONG_MS = 61_000;
const IMPLAUSIBLE = "400";

const house = new House("devices");
let broker, gateway, screens, abe, nurse, fumi, ken;
let failed = false;

before(async () => {
  broker = await Broker.all(house);
  gateway = await Gateway.start(house, broker.origin, broker.enrolCode);
  screens = await Screens.open(house, { flags: ["--enable-features=WebBluetooth"] });
  abe = new Doctor(await screens.screen("abe", "desktop"));
  nurse = new Nurse(await screens.screen("nurse", "tablet"));
});

after(async () => {
  await screens?.close();
  await gateway?.stop();
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

/** Time passes for the broker and for the box on the wall. */
async function pass(ms) {
  await broker.advance(ms);
  await gateway.advance(ms);
}

step("a cuff is on one patient while the doctor takes another", async () => {
  await abe.signIn(broker.staffLink("abe"));
  await abe.goOnDuty();
  await nurse.signIn(broker.staffLink("nurse"));
  await nurse.act("admit").click();
  ken = await nurse.admit(KEN);
  await nurse.attach(CUFF);
  await nurse.act("admit").click();
  fumi = await nurse.admit(FUMI);
  for (const device of [THERMOMETER, STRAP, SCALE, GLUCOSE, OXIMETER]) await nurse.attach(device);
  await nurse.look("nurse-devices");
  await nurse.ready();
  await abe.callOne(fumi);
  await nurse.answer();
  await abe.isInVisit();
  await Promise.all([abe.confirmIdentity(), nurse.confirmIdentity()]);
  await nurse.takeConsent();
});

step("thermometer, strap, scale and glucose meter stand on both pages, and the heart is drawn", async () => {
  for (const device of [THERMOMETER, SCALE, GLUCOSE]) await nurse.measure(device);
  await pass(SPOT_TAKES_MS);
  for (const vital of ["temperature", "heart_rate", "weight", "spo2"]) await sameNumber(vital);
  // A meter gives out what it stored: no clock but its own says that a record is new.
  for (const person of [nurse, abe]) {
    await until(`${person.who} is told of a late glucose`, async () => /後から届いています/.test(await person.tile("glucose").innerText()));
    assert.equal(await person.tile("glucose").getAttribute("data-state"), "empty");
  }
  await abe.page.locator('.wave[data-wave="ecg"]').waitFor();
  await until("the heart is drawn", async () => (await ecgLit()) > 100);
  await abe.look("doctor-all-devices");
  await table(async () => {
    const values = (await abe.page.locator(".readings tbody tr").allInnerTexts()).join("\n");
    for (const pattern of [/体重 \d+(\.\d+)? kg/, /血糖 \d+(\.\d+)? mg\/dL/]) assert.match(values, pattern);
    await abe.look("doctor-table");
  });
});

step("a result that comes between two patients is nobody's, and nobody sees its value", async () => {
  await gateway.measure(CUFF);
  await unfold();
  await nurse.act("attach", nurse.device(CUFF)).click();
  await nurse.sees(`いま ${ken} の方に付いています`);
  await nurse.look("nurse-take-over");
  await nurse.act("attach-do").click();
  await nurse.act("detach", nurse.device(CUFF)).waitFor();
  await pass(CUFF_TAKES_MS);
  const held = nurse.page.locator("[data-held]");
  await held.waitFor();
  await nurse.sees("誰のものか決まっていない測定");
  assert.doesNotMatch(await held.innerText(), /mmHg|\d+\/\d+/);
  for (const person of [nurse, abe]) assert.equal(await person.tile("pressure").getAttribute("data-state"), "empty");
});

step("wrong identifiers are refused in words, right ones settle it, and the doctor reads who did", async () => {
  await nurse.page.locator("[data-held]").click();
  assert.ok(await nurse.page.locator(".tickets .code").first().isHidden(), "the code stands nowhere to be copied");
  await nurse.page.getByText(FUMI.name, { exact: true }).last().click();
  await identify(ken, FUMI.birth);
  await nurse.sees("番号か生年月日が、選んだ方と合いません");
  await nurse.look("nurse-whose");
  await identify(fumi, FUMI.birth);
  await nurse.page.locator("header.head .code", { hasText: fumi }).waitFor();
  assert.equal(await nurse.page.locator("[data-held]").count(), 0);
  await table(async () => {
    const line = abe.page.locator(".readings tr", { hasText: "この方の値と決めました" });
    await line.waitFor();
    assert.match(await line.innerText(), /後着/);
    assert.match(await line.innerText(), /\d+\/\d+ mmHg/);
  });
  assert.notEqual(await abe.tile("pressure").getAttribute("data-state"), "now", "late is never now");
});

step("one that is no patient's is put aside with a reason", async () => {
  await nurse.detach(CUFF);
  await gateway.measure(CUFF);
  await pass(CUFF_TAKES_MS);
  await nurse.page.locator("[data-held]").click();
  await nurse.act("dismiss").click();
  const dialog = nurse.page.getByRole("dialog");
  assert.ok(await nurse.act("dismiss-do").isDisabled(), "not without a reason");
  await nurse.press("試しに測った", dialog);
  await nurse.look("nurse-dismiss");
  await nurse.act("dismiss-do").click();
  await nurse.sees("患者さんの値ではないとして片づけました");
  await until("it is gone", async () => (await nurse.page.locator("[data-held]").count()) === 0);
  await nurse.putAway();
  await nurse.open(fumi);
});

step("each of eight faults is named with one remedy, and forgotten when it is over", async (t) => {
  await unfold();
  await nurse.attach(CUFF);
  const measures = async (device, fault) => {
    await nurse.letFail(device, fault);
    await nurse.measure(device);
    await pass(CUFF_TAKES_MS);
  };
  const again = async (device) => {
    await nurse.measure(device);
    await pass(CUFF_TAKES_MS);
  };
  const later = () => pass(FAULT_LASTS_MS);
  const clock = () => pass(CLOCK_WRONG_MS);
  const [press, plain] = [(device, fault) => nurse.letFail(device, fault), later];
  const faults = [
    [CUFF, "battery_empty", press, plain, "no_battery", "電池がありません。", "新しい電池に替えてください。"],
    [CUFF, "not_paired", press, plain, "not_paired", "この箱に登録されていません。", "登録し直してください。"],
    [CUFF, "cuff_loose", measures, again, "cuff_loose", "カフがゆるいです。", "巻き直してください。"],
    [CUFF, "body_movement", measures, again, "body_moved", "はかっている間に体が動きました。", "もう一度はかってください。"],
    [OXIMETER, "silent", press, plain, "out_of_range", "電波が届いていません。", "箱に近づけてください。"],
    [CUFF, "clock_wrong", press, clock, "clock_wrong", "時計がずれています。", "今の日時に合わせてください。"],
    [OXIMETER, "held_elsewhere", press, plain, "held_elsewhere", "別の端末が", "Bluetoothを切ってください。"],
    [OXIMETER, "sensor_off", press, plain, "sensor_off", "センサーが体から外れています。", "付け直してください。"],
  ];
  for (const [device, fault, make, over, trouble, sentence, remedy] of faults) {
    await make(device, fault);
    const lines = nurse.page.locator("[data-trouble]");
    const line = nurse.device(device).locator(`[data-trouble="${trouble}"]`);
    await line.waitFor();
    const words = await line.innerText();
    assert.ok(words.includes(sentence) && words.includes(remedy), `${fault}: ${words}`);
    assert.equal(await lines.count(), 1, `${fault}: nothing else is named`);
    await nurse.look(`nurse-trouble-${trouble}`);
    await over(device);
    await until(`${trouble} is forgotten`, async () => (await lines.count()) === 0);
    t.diagnostic(`${fault}: ${words.replace(/\s+/g, " ")}`);
  }
});

step("an impossible pulse is never now: it waits, and a patient reads that it is measured again", async () => {
  await nurse.detach(OXIMETER);
  await implausible();
  for (const person of [nurse, abe]) {
    await person.page.locator('.waits[data-waits="pulse"]').waitFor();
    assert.notEqual(await figure(person.tile("pulse")), IMPLAUSIBLE);
  }
  await nurse.look("nurse-waits");
  await abe.look("doctor-waits");
  await nurse.showPatientView();
  const line = nurse.page.locator('.measured [data-vital="pulse"]');
  await until("the patient reads so", async () => (await line.innerText()) === "もう一度はかります");
  assert.doesNotMatch(await nurse.page.locator("main").innerText(), new RegExp(IMPLAUSIBLE));
  await nurse.look("patient-view-waits");
  await nurse.leavePatientView(NURSE_PIN);
  await nurse.page.locator(".tickets").waitFor();
});

step("the doctor confirms one, and the tile tells who did", async () => {
  await abe.act("confirm-reading", abe.tile("pulse")).click();
  await until("it counts", async () => (await figure(abe.tile("pulse"))) === IMPLAUSIBLE);
  assert.match(await abe.tile("pulse").innerText(), /阿部 直子 が .* に確認しました/);
  assert.equal(await abe.page.locator(".waits").count(), 0);
});

step("the nurse puts another right: the wrong one is struck through, with who and why", async () => {
  await nurse.open(fumi);
  await implausible();
  await nurse.act("correct-reading", nurse.tile("pulse")).click();
  const form = nurse.page.locator(".typing form");
  await form.waitFor();
  assert.equal(await form.locator("[name=pulse_rate]").inputValue(), IMPLAUSIBLE);
  await form.locator("[name=pulse_rate]").fill("７２");
  await nurse.press("測り方の間違い", form);
  await nurse.look("nurse-corrects");
  await nurse.act("enter-reading").click();
  for (const person of [nurse, abe]) {
    await until(`${person.who} has 72`, async () => (await figure(person.tile("pulse"))) === "72");
  }
  await table(async () => {
    const line = abe.page.locator(".readings tr.withdrawn");
    await line.waitFor();
    assert.match(await line.locator("s").innerText(), new RegExp(IMPLAUSIBLE));
    assert.ok(await isWhole(line.locator("td").nth(1)), "the wrong value is read in full");
    const words = await line.innerText();
    assert.match(words, /が .* に取り消しました（測り方の間違い）/);
    assert.match(words, /代わりの値 .*72/);
    await abe.look("doctor-withdrawn");
  });
});

step("typed values count as typed and by whom; an impossible one waits like a device's", async () => {
  await typeIn("temperature", "３６．５");
  for (const [person, by] of [[nurse, "手入力（浜 ちひろ）"], [abe, "手入力（看護師）"]]) {
    await until(`${person.who} has 36.5`, async () => (await figure(person.tile("temperature"))) === "36.5");
    const words = (await person.tile("temperature").innerText()).replace(/\s+/g, " ");
    assert.ok(words.includes(by), words);
  }
  await typeIn("respiration_rate", IMPLAUSIBLE);
  for (const person of [nurse, abe]) {
    await person.page.locator('.waits[data-waits="respiration"]').waitFor();
    assert.doesNotMatch(await person.tile("respiration").locator(".figure").allInnerTexts().then(String), /400/);
    assert.match(await person.tile("respiration").innerText(), /400 \/min は確認待ちです/);
  }
  await nurse.look("nurse-typed");
  await abe.look("doctor-typed");
});

step("a thermometer that hangs at the tablet itself reaches the doctor as raw frames", async () => {
  // Flags: Celsius, nothing else; 366 with one digit behind the point (Thermometer Service 1.0, 3.1).
  const bytes = [0x00, 0x6e, 0x01, 0x00, 0xff];
  const thermometer = { name: "Tablet Thermometer", service: 0x1809, characteristic: 0x2a1c, bytes };
  await emulate(screens.browser, nurse.page, thermometer);
  await nurse.act("web-bluetooth").click();
  await nurse.page.locator('[data-tablet][data-state="connected"]').waitFor();
  for (const person of [nurse, abe]) {
    await until(`${person.who} has 36.6`, async () => (await figure(person.tile("temperature"))) === "36.6");
    assert.match(await person.tile("temperature").innerText(), /Tablet Thermometer/);
  }
  await nurse.look("nurse-tablet");
  await nurse.act("tablet-drop").click();
});

step("the doctor sees who attached what when", async () => {
  await abe.page.locator(".attachments summary").click();
  for (const device of [CUFF, OXIMETER, THERMOMETER, STRAP, SCALE, GLUCOSE]) {
    const line = abe.page.locator(`[data-attached="${device}"]`).first();
    assert.match(await line.innerText(), /が \d+:\d\d に付けました/);
  }
  await until("the last one is in sight", () =>
    abe.page.locator("[data-attached]").last().evaluate((line) => line.getBoundingClientRect().bottom <= innerHeight),
  );
  const lines = abe.page.locator(`[data-attached="${OXIMETER}"]`);
  assert.match(await lines.first().innerText(), /\d+:\d\d に外しました/);
  await abe.look("doctor-attachments");
});

test("nobody met a page that was hard to use or an error", () => {
  assert.deepEqual(screens.violations, []);
  assert.deepEqual(screens.errors, []);
  assert.deepEqual([...screens.requests], [broker.origin]);
});

/** The cuff measures, and says a pulse that nobody has. */
async function implausible() {
  await nurse.letFail(CUFF, "implausible");
  await nurse.measure(CUFF);
  await pass(CUFF_TAKES_MS);
  await nurse.page.locator('.waits[data-waits="pulse"]').waitFor();
}

/** The nurse types one value. */
async function typeIn(what, text) {
  await nurse.act("type-values").click();
  await nurse.page.locator(`.typing [name=${what}]`).fill(text);
  await nurse.act("enter-reading").click();
}

/** The same number of now stands on both pages. */
async function sameNumber(vital) {
  await until(`both have ${vital}`, async () => {
    for (const person of [nurse, abe]) {
      if ((await person.tile(vital).getAttribute("data-state")) !== "now") return false;
    }
    const [one, other] = await Promise.all([nurse, abe].map((person) => figure(person.tile(vital))));
    return one === other && /^\d+(\.\d+)?$/.test(one);
  });
}

/** Whether nothing of a cell is cut off. */
function isWhole(cell) {
  return cell.evaluate((box) => box.scrollWidth <= box.clientWidth);
}

/** Fills in and sends what identifies a person. */
async function identify(code, birth) {
  await nurse.page.locator("[name=code]").fill(code);
  await nurse.page.locator("[name=birth_date]").fill(birth);
  await nurse.act("settle-reading").click();
}

/** Devices that are not on this patient are folded away during a visit. */
async function unfold() {
  const folded = nurse.page.locator(".devices-card > details.fold, .devices-card details.fold:has(.devices)").first();
  await folded.waitFor();
  if ((await folded.getAttribute("open")) === null) await folded.locator("summary").first().click();
}

/** Looks into the doctor's table, and goes back to the lines. */
async function table(look) {
  await abe.press("表で見る");
  await look();
  await abe.press("図で見る");
}

/** How much of the ECG's paper a line covers. */
function ecgLit() {
  return abe.page.evaluate(() => {
    const canvas = document.querySelector('.wave[data-wave="ecg"] canvas');
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let lit = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 1] > 150 && data[at + 1] > data[at] + 40 && data[at + 3] > 120) lit += 1;
    }
    return lit;
  });
}
