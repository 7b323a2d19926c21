// A home kit from beginning to end: the nurse sets it up with rules, a value typed at home calls a
// doctor, the page at home is in the call; and where no page is open, the doctor telephones.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker } from "./broker.mjs";
import { House } from "./house.mjs";
import { seeAndHearEachOther } from "./media.mjs";
import { Doctor, Nurse, Patient } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";
import { HANA } from "./world.mjs";

const HOUR_MS = 3_600_000;
const house = new House("kit");
let broker, screens, abe, nurse, hana, link, code;
let failed = false;

/** A step; after one that failed the others are not tried. */
function step(sentence, play) {
  test(sentence, async () => {
    assert.ok(!failed, "a step before this one failed");
    try {
      await play();
    } catch (error) {
      failed = true;
      await screens?.pictureAll("failed");
      throw error;
    }
  });
}

before(async () => {
  broker = await Broker.all(house);
  screens = await Screens.open(house);
  abe = new Doctor(await screens.screen("abe", "desktop"));
  nurse = new Nurse(await screens.screen("nurse", "tablet"));
  hana = new Patient(await screens.screen("hana", "phone"));
});

after(async () => {
  await screens?.close();
  await broker?.stop();
  house.leave();
});

async function addRule(what, kind, number, hours) {
  await nurse.act("rule-add").click();
  await nurse.page.locator('select[name="rule-what"]').selectOption(what);
  await nurse.page.getByLabel(kind).check();
  if (number) await nurse.page.locator('input[name="rule-number"]').fill(number);
  if (hours) await nurse.page.locator('input[name="rule-hours"]').fill(hours);
}

step("the nurse sets a home kit up: whose, and nothing calls a doctor yet", async () => {
  await nurse.signIn(broker.staffLink("nurse"));
  await nurse.act("kits").click();
  await nurse.look("nurse-kits-empty");
  await nurse.act("kit-new").click();
  await nurse.page.getByLabel("氏名").fill(HANA.name);
  await nurse.page.getByLabel("ふりがな").fill(HANA.kana);
  await nurse.page.getByLabel("生年月日").fill(HANA.birth);
  await nurse.page.getByLabel("折り返し電話").fill(HANA.phone);
  await nurse.page.getByLabel("いる場所").fill(HANA.place);
  await nurse.look("nurse-kit-new");
  await nurse.act("kit-set-up").click();
  await nurse.sees("決まりはまだありません");
});

step("she sets two rules in words and changes one; the earlier one is kept with who and when", async () => {
  await addRule("pulse_rate", "上限を超えたとき", "百");
  await nurse.act("rule-set").click();
  await nurse.sees("数字で入れてください");
  await nurse.page.locator('input[name="rule-number"]').fill("１３０");
  await nurse.sees("脈拍が 130 /min を超えたとき");
  await nurse.look("nurse-kit-rule-form");
  await nurse.act("rule-set").click();
  await addRule("weight", "値が来ないとき", undefined, "2");
  await nurse.act("rule-set").click();
  await nurse.sees("までに値を待っています");
  await nurse.act("rule-change", nurse.page.locator('[data-rule="1"]')).click();
  await nurse.page.locator('input[name="rule-number"]').fill("120");
  await nurse.act("rule-set").click();
  await nurse.page.locator('[data-rule="3"]').waitFor();
  await nurse.page.getByText("前の決まり").click();
  await nurse.sees(/がやめました|にやめました/);
  await nurse.act("kit-link").click();
  link = await nurse.page.locator("input.address").inputValue();
  await nurse.page.locator("svg.qr").waitFor();
  await nurse.look("nurse-kit-link");
  await nurse.press("閉じる", nurse.page.getByRole("dialog"));
  await nurse.look("nurse-kit-page");
});

step("the patient opens the link at home: what is awaited, and a place for values", async () => {
  await hana.open(link);
  await hana.act("join").tap();
  await hana.sees("おうちではかる");
  await hana.sees("次にはかるもの");
  assert.equal(new URL(hana.page.url()).hash, "", "the secret has left the address bar");
  await hana.look("home-kit");
  await hana.lookInEnglish("home-kit-english");
  await hana.act("own-values").tap();
  await hana.page.locator('input[name="pulse_rate"]').fill("118");
  await hana.page.locator('input[name="systolic"]').fill("142");
  await hana.page.locator('input[name="diastolic"]').fill("86");
  await hana.act("enter-reading").tap();
  await hana.sees("先生に伝えました");
  await hana.sees("118");
  await nurse.sees("おうちの画面：開いています");
  await nurse.sees("118");
});

step("a value over the limit is a ticket with its reason in the doctor's queue, and told to the nurse", async () => {
  await abe.signIn(broker.staffLink("abe"));
  await abe.goOnDuty();
  assert.equal(await abe.page.locator(".queue-row").count(), 0);
  await hana.act("own-values").tap();
  await hana.page.locator('input[name="pulse_rate"]').fill("128");
  await hana.act("enter-reading").tap();
  await abe.sees("脈拍 128 /min が上限 120 を超えました");
  code = await abe.page.locator(".queue-row").getAttribute("data-code");
  await abe.look("doctor-queue-changed");
  await nurse.sees(`${code} おうちの値が変わりました`);
  await nurse.look("nurse-kit-changed");
  await hana.page.locator("[data-will-call]").waitFor();
  await hana.look("home-kit-will-call");
});

step("the doctor calls, and the page at home is in the call", async () => {
  await abe.callOne(code);
  await hana.sees("先生がお呼びです");
  await abe.sees("電話でつながった");
  await abe.look("doctor-ringing-kit");
  await hana.answer();
  await abe.isInVisit();
  await seeAndHearEachOther([abe, hana]);
  await Promise.all([abe.confirmIdentity(), hana.confirmIdentity()]);
  await abe.sees("脈拍 128 /min が上限 120 を超えました");
  await until("the doctor sees what was measured before the ticket too", () => abe.screen.rows.length === 2);
  await abe.look("doctor-visit-kit");
  await hana.look("home-kit-in-call");
});

step("after the visit the page goes on as it was, and reads what the doctor left", async () => {
  await hana.consent();
  await abe.end("診察終了（再診あり）", "夜にもう一度はかってください");
  await hana.sees("おうちではかる");
  await hana.sees("夜にもう一度はかってください");
  await hana.look("home-kit-after");
});

step("nothing comes for hours: a ticket says so, and without an open page the doctor telephones", async () => {
  await hana.page.goto("about:blank");
  await nurse.sees("おうちの画面：閉じています");
  await broker.advance(3 * HOUR_MS);
  await abe.sees("体重の値が2時間以上来ていません");
  await abe.callNext();
  await abe.sees("この方の画面は開いていません");
  await abe.sees(HANA.phone);
  await abe.look("doctor-ringing-closed");
  await abe.act("reached-by-phone").click();
  await abe.isInVisit();
});

step("every page was looked over, none spoke to anybody else", async () => {
  assert.deepEqual(screens.violations, []);
  assert.deepEqual(screens.errors, []);
  assert.deepEqual([...screens.requests].filter((origin) => origin !== broker.origin && origin !== "null"), []);
});
