// Hand-over, 急変, the end and the next patient, 別の方です; and what holds for the whole story.

import assert from "node:assert/strict";
import { seeAndHearEachOther } from "../media.mjs";
import { until } from "../until.mjs";
import { callOf, figure, FUMI, KEN, NAMES, NURSE_PIN, step, w } from "../world.mjs";

step("hand-over: the colleague is asked and accepts; the patient sees the new name, the first doctor is out", async () => {
  await w.nurse.showPatientView();
  await w.nurse.sees("阿部 直子 先生");
  await w.abe.offerHandOver(NAMES.mori);
  await w.abe.sees("返事を待っています");
  await w.mori.sees("引き継いでほしいそうです");
  await w.mori.look("doctor-hand-over-asked");
  await w.abe.look("doctor-hand-over-offered");
  const accepted = performance.now();
  await w.mori.press("引き継ぐ");
  await w.mori.isInVisit();
  await w.nurse.sees("森 健一 先生");
  await seeAndHearEachOther([w.mori, w.nurse], 15_000);
  w.learnt.handOverMs = Math.round(performance.now() - accepted);
  await w.abe.isAtDesk();
  await until("the first doctor's call is closed", async () => (await callOf(w.abe.page)) === -1);
  const last = w.abe.screen.rows.length;
  const moreFor = w.mori.screen.rows.length + 3;
  await until("the colleague gets values", () => w.mori.screen.rows.length >= moreFor);
  assert.equal(w.abe.screen.rows.length, last, "the first doctor gets no more of them");
  await w.nurse.look("patient-view-new-doctor");
  await w.mori.look("doctor-taken-over");
  await w.nurse.leavePatientView(NURSE_PIN);
  await w.nurse.open(w.learnt.fumiCode);
});

step("急変: one press and a confirm show where, whom to call and the hospital; the board is alerted", async () => {
  await w.nurse.act("emergency").click();
  await w.nurse.look("nurse-emergency-confirm");
  await w.nurse.press("急変を知らせる", w.nurse.page.getByRole("dialog"));
  for (const one of [w.nurse, w.mori]) {
    const card = one.page.locator(".emergency-card");
    await card.getByText(FUMI.place).waitFor();
    await card.getByText(FUMI.phone).waitFor();
    await card.getByText("港市民病院").waitFor();
    await card.getByText("119に電話する").waitFor();
  }
  await w.coordinator.alert("emergency").getByText(w.learnt.fumiCode).waitFor();
  await seeAndHearEachOther([w.mori, w.nurse], 10_000);
  await w.nurse.look("nurse-emergency");
  await w.mori.look("doctor-emergency");
  await w.coordinator.look("board-emergency");
});

step("the visit ends with a disposition, and the next patient comes in", async () => {
  await w.mori.end("救急搬送");
  await w.nurse.sees("診察は終わりました");
  await w.nurse.sees("急変あり");
  assert.equal(await w.nurse.page.locator(".alarm-chip, .line.emergency, .emergency-card").count(), 0, "what is over is no alarm");
  await w.nurse.look("nurse-ended");
  await w.coordinator.seesInColumn(w.learnt.fumiCode, "over");
  await w.mori.callNext();
  await w.ichiro.answer();
  await w.mori.isInVisit();
  // Who cannot press says it aloud, and the doctor writes that down.
  await w.mori.confirmIdentity();
  await w.mori.sees("患者さん側の確認を待っています。");
  await w.mori.look("doctor-identity-spoken");
  await w.mori.act("identity-spoken").click();
  await w.ichiro.sees("ご本人と確認しました");
  await w.ichiro.consent();
  await seeAndHearEachOther([w.mori, w.ichiro]);
  await w.mori.end("診察終了（再診あり）");
  await w.ichiro.sees("診察が終わりました");
});

step("別の方です: the data is hidden from the doctor, values are held back, the ticket goes back", async () => {
  await w.nurse.open(w.learnt.kenCode);
  await w.nurse.attach("sim-oximeter-2");
  await w.nurse.ready();
  await w.abe.callOne(w.learnt.kenCode);
  await w.nurse.answer();
  await w.abe.isInVisit();
  await w.nurse.confirmIdentity();
  await w.abe.confirmIdentity();
  await until("values are there", async () => (await w.abe.tile("spo2").getAttribute("data-state")) === "now");
  await w.abe.page.getByText(KEN.name).first().waitFor();
  await w.nurse.press("別の方です");
  await w.nurse.look("nurse-wrong-patient-confirm");
  await w.nurse.press("はい", w.nurse.page.getByRole("dialog"));
  await w.abe.isAtDesk();
  await w.abe.seesNoMore(KEN.name);
  const rows = w.abe.screen.rows.length;
  await w.coordinator.seesInColumn(w.learnt.kenCode, "waiting");
  await w.coordinator.alert("wrong_patient").getByText(w.learnt.kenCode).waitFor();
  assert.equal(w.abe.screen.rows.length, rows, "no more values to the doctor");
  // Whoever wears it is not this patient: it comes off, and what it measured is shown to nobody.
  await w.nurse.act("attach", w.nurse.device("sim-oximeter-2")).waitFor();
  await until("the nurse sees no number either", async () => !/\d/.test(await figure(w.nurse.tile("spo2"))));
  await w.abe.look("doctor-wrong-patient");
  await w.nurse.look("nurse-wrong-patient");
  await w.coordinator.look("board-wrong-patient");
});

step("no request left the machine, no page stumbled, and every state is accessible", (t) => {
  for (const figure of ["races", "callBackMs", "waveBackMs", "cut", "handOverMs"]) t.diagnostic(`${figure}: ${w.learnt[figure]}`);
  t.diagnostic(`${w.screens.looked} states were looked over`);
  const known = new Set([w.broker.origin, w.cable.origin]);
  const strange = [...w.screens.requests].filter((origin) => !known.has(origin) && origin !== "null");
  assert.deepEqual(strange, [], "addresses beyond the broker's");
  assert.deepEqual(w.screens.errors, [], "errors in pages");
  assert.deepEqual(w.screens.violations, [], "WCAG 2.2 AA");
});
