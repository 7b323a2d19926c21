// Calls from home and from the bedside: who is who, pictures and voices, words, values, errors, orders.

import assert from "node:assert/strict";
import { getsWaves, seeAndHearEachOther, seesAndHears } from "../media.mjs";
import { Patient } from "../people.mjs";
import { until } from "../until.mjs";
import { CUFF, CUFF_TAKES_MS, figure, KEN, NURSE_PIN, pass, person, step, w } from "../world.mjs";

step("the call from home: identity before anything else, consent, then pictures and voices both ways", async () => {
  await w.abe.callNext();
  await w.hana.sees("先生がお呼びです");
  await w.hana.answer();
  await w.abe.isInVisit();
  await w.abe.page.locator("main.visit.gated").waitFor();
  assert.equal(await w.abe.page.getByLabel("指示を書く").count(), 0, "no orders before it is clear who is who");
  await w.hana.look("patient-visit-asked");
  await w.abe.look("doctor-identity-first");
  await w.hana.confirmIdentity();
  await w.abe.confirmIdentity();
  await w.abe.page.locator("main.visit:not(.gated)").waitFor();
  await w.abe.page.locator('[data-owed="consent_first"]').getByText("同意がまだです").waitFor();
  await w.abe.act("defer-consent").waitFor();
  assert.equal(await w.abe.page.getByLabel("指示を書く").count(), 0, "no orders before there is consent");
  await w.abe.look("doctor-consent-first");
  await w.abe.act("defer-consent").click();
  await w.abe.look("doctor-consent-defer");
  await w.abe.press("やめる", w.abe.page.getByRole("dialog"));
  await w.hana.consent();
  await w.abe.sees("同意あり");
  await w.abe.page.getByLabel("指示を書く").waitFor();
  assert.equal(await w.abe.page.locator('[data-owed="consent_first"]').count(), 0, "nothing is owed any more");
  await w.abe.sees("自宅の患者さん：測定器からの値はありません");
  await seeAndHearEachOther([w.abe, w.hana]);
  await w.coordinator.seesInColumn(w.learnt.hanaCode, "in_visit");
});

step("written words go both ways", async () => {
  await w.abe.say("いかがですか");
  await w.hana.sees("いかがですか");
  await w.hana.say("熱があります");
  await w.abe.sees("熱があります");
  await w.hana.look("patient-visit");
  await w.abe.look("doctor-visit-home");
  await w.hana.lookInEnglish("patient-visit-english");
});

step("the visit ends with its outcome and a word to the patient; the doctor is free for the next", async () => {
  await w.abe.end("診察終了", "水分をよくとってください。");
  await w.hana.sees("診察が終わりました");
  await w.hana.sees("水分をよくとってください。");
  await w.hana.look("patient-ended");
  await w.coordinator.seesInColumn(w.learnt.hanaCode, "over");
  await until("ichiro has moved up", async () => (await w.ichiro.ahead()) === 1);
  await w.hana.screen.close();
  const later = await person(Patient, "later", "phone");
  await later.open(w.learnt.hanaLink);
  await later.act("join").tap();
  await later.page.getByRole("alert").getByText("このリンクは期限が切れました").waitFor();
  await later.look("patient-link-over");
  await later.screen.close();
});

step("the call from the bedside: one tablet for nurse and patient, pictures and voices both ways", async () => {
  await w.nurse.ready();
  await w.abe.callOne(w.learnt.fumiCode);
  await w.nurse.act("answer").waitFor();
  await w.nurse.look("nurse-called");
  await w.nurse.answer();
  await w.abe.isInVisit();
  await w.nurse.look("nurse-visit-asked");
  await w.nurse.confirmIdentity();
  await w.abe.confirmIdentity();
  await w.nurse.takeConsent();
  await w.abe.sees("同意あり");
  await seeAndHearEachOther([w.abe, w.nurse]);
  await w.abe.sees("看護師と患者さん（1台）");
});

step("a cuff started in the call: its value is on the doctor's tile with age and device; the oximeter runs", async () => {
  const before = newestPressure();
  await w.nurse.measure(CUFF);
  const pressure = w.abe.tile("pressure");
  await until("the cuff fills before the doctor's eyes", async () => /加圧中 \d+ mmHg/.test(await pressure.innerText()));
  await until("a new value has arrived", () => newestPressure() !== before, 25_000);
  await until("it is new on the tile", async () => /^(たった今|\d秒前)$/.test(await pressure.locator(".age").innerText()));
  assert.match(await figure(pressure), /^\d+\/\d+$/);
  assert.match(await pressure.locator(".device").innerText(), /Cuff/);
  assert.equal(await figure(pressure), await figure(w.nurse.tile("pressure")), "doctor and nurse see the same");
  await until("the oximeter is live", async () => (await w.abe.tile("spo2").getAttribute("data-state")) === "now");
  assert.match(await figure(w.abe.tile("spo2")), /^\d+$/);
  assert.match(await w.abe.tile("spo2").locator(".device").innerText(), /Oximeter/);
});

step("the pulse wave is drawn and moves", async () => {
  const first = await until("a wave is drawn", async () => {
    const wave = await w.abe.wave();
    return wave.lit > 200 && wave;
  });
  await until("it moves", async () => (await w.abe.wave()).sum !== first.sum);
  await getsWaves(w.abe.page, "the doctor", 5_000);
  await w.abe.look("doctor-visit-bedside");
  await w.nurse.look("nurse-visit");
  await w.abe.lookInEnglish("doctor-visit-english");
  await w.nurse.lookInEnglish("nurse-visit-english");
  await w.coordinator.lookInEnglish("board-english");
});

step("a cuff's error frame is an error to staff and 「もう一度はかります」 to the patient, never a number", async () => {
  const before = w.abe.screen.rows.length;
  await w.nurse.letFail(CUFF, "cuff_error");
  await w.nurse.measure(CUFF);
  await w.nurse.device(CUFF).getByText("はかっています").waitFor();
  await pass(CUFF_TAKES_MS);
  const pressure = w.abe.tile("pressure");
  await until("the doctor reads an error", async () => (await pressure.getAttribute("data-state")) === "fault", 25_000);
  assert.equal(await pressure.locator(".figure").count(), 0, "no number on the doctor's tile");
  await pressure.getByText("血圧計が値を出せませんでした").waitFor();
  await w.nurse.tile("pressure").getByText("測れませんでした").waitFor();
  const fault = w.abe.screen.rows.slice(before).find((row) => row.outcome.type === "fault");
  // The frame says NaN with all status bits zero, as real cuffs do; the words come from the number's absence.
  assert.match(fault.outcome.provenance.raw, /^16ff07ff07ff07/);
  await w.abe.look("doctor-cuff-error");
  await w.nurse.look("nurse-cuff-error");
});

/** The last blood pressure that the doctor's screen was sent. */
function newestPressure() {
  return w.abe.screen.rows.findLast((row) => row.outcome.characteristic === "blood_pressure")?.outcome.id;
}

step("patient view on the tablet shows one patient and hides all others until the PIN", async () => {
  await w.nurse.act("admit").click();
  w.learnt.kenCode = await w.nurse.admit(KEN);
  await w.nurse.open(w.learnt.fumiCode);
  await w.nurse.showPatientView();
  await w.nurse.page.locator("dd[data-vital=pressure]", { hasText: "もう一度はかります" }).waitFor();
  for (const word of [KEN.name, w.learnt.kenCode, "測定エラー", "通常"]) {
    assert.equal(await w.nurse.page.getByText(word).count(), 0, `${word} is not for the patient's eyes`);
  }
  await seesAndHears(w.nurse.page, "the patient at the tablet");
  await w.nurse.look("patient-view");
  await w.nurse.page.reload();
  await w.nurse.act("leave-view").waitFor();
  assert.equal(await w.nurse.page.getByText(w.learnt.kenCode).count(), 0, "a reload is no way out");
  await w.nurse.leavePatientView("0000");
  await w.nurse.sees("暗証番号が違います。");
  assert.ok(await w.nurse.act("leave-view").isVisible(), "a wrong PIN is no way out");
  await w.nurse.leavePatientView(NURSE_PIN);
  await w.nurse.open(w.learnt.kenCode);
  await w.nurse.open(w.learnt.fumiCode);
});

step("a second device at the bed waits for the nurse's yes and comes in without microphone and sound", async () => {
  await w.nurse.act("second-device").click();
  const dialog = w.nurse.page.getByRole("dialog");
  const number = (await dialog.locator(".spoken").innerText()).replace(/\D/g, "");
  await dialog.locator("svg.qr").waitFor();
  await w.nurse.look("nurse-second-device");
  const family = await person(Patient, "family", "phone");
  await family.page.goto(`${w.broker.origin}/p`);
  await family.joinBySpoken(number);
  await family.sees("医療機関が確認中です");
  await dialog.locator('[data-act="allow-yes"]').click();
  await family.button("マイク 切").waitFor();
  await family.button("スピーカー 切").waitFor();
  await family.sees("同じ部屋の2台目");
  await family.sees("そばのタブレットで");
  for (const word of ["別の人です", "はい、私です", "わかりました。受けます", "先生の応答がありません", "音声だけにする", "文字で伝える"]) {
    assert.equal(await family.page.getByText(word).count(), 0, `${word} is for the tablet to press`);
  }
  await family.look("patient-second-device-visit");
  await w.nurse.press("閉じる", dialog);
  await family.screen.close();
});

step("an order is written, read back aloud and done, each with its time", async () => {
  await w.abe.order("5分後に血圧をもう一度");
  await w.nurse.sees("5分後に血圧をもう一度");
  assert.equal(await w.nurse.act("order-done").count(), 0, "not done before it was read back");
  await w.nurse.look("nurse-order");
  await w.nurse.act("read-back").click();
  await w.abe.page.locator(".order .step.reached", { hasText: "復唱" }).waitFor();
  await w.nurse.act("order-done").click();
  await w.abe.page.locator(".order.done").waitFor();
});
