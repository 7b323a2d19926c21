// The broker is killed, and the clinic's line is cut for ten minutes: nobody and nothing is lost.

import assert from "node:assert/strict";
import { getsWaves, seeAndHearEachOther } from "../media.mjs";
import { allBetween, counted } from "../readings.mjs";
import { until } from "../until.mjs";
import { boardState, callOf, CUFF, OXIMETER, pass, same, step, w } from "../world.mjs";

const MINUTE_MS = 60_000;
/** After the broker's own start, on a machine that runs a dozen pages beside it. */
const CALL_BACK_WITHIN_MS = 10_000;
const WAVE_BACK_WITHIN_MS = 20_000;

step("the broker is killed as by a power cut and started again: every screen comes back by itself, nobody is lost", async () => {
  const before = await boardState();
  const [mediaAbe, mediaNurse] = await Promise.all([callOf(w.abe.page), callOf(w.nurse.page)]);
  await w.broker.kill();
  await w.abe.sees("電波が切れています");
  await w.ichiro.sees("順番はそのままです");
  await Promise.all([w.abe.picture("doctor-cut"), w.ichiro.picture("patient-cut"), w.coordinator.picture("board-cut")]);
  await w.broker.start();
  const started = performance.now();
  const staff = [w.coordinator, w.abe, w.mori, w.nurse];
  await Promise.all(staff.map((one) => one.seesNoMore("電波が切れています", 30_000)));
  await w.ichiro.sees("つながりました。順番はそのままです", 30_000);
  assert.equal(await w.ichiro.code(), w.learnt.ichiroCode);
  assert.equal(await w.ichiro.ahead(), 0);
  await until("the board says the same as before", async () => same(await boardState(), before));
  await w.abe.page.locator(".order.done").waitFor();
  await until("the call is another one", async () => (await callOf(w.abe.page)) > mediaAbe && (await callOf(w.nurse.page)) > mediaNurse, 40_000);
  w.learnt.callBackMs = Math.round(performance.now() - started);
  assert.ok(w.learnt.callBackMs <= CALL_BACK_WITHIN_MS, `the call came back after ${w.learnt.callBackMs} ms`);
  await seeAndHearEachOther([w.abe, w.nurse], 30_000);
  await until("the oximeter is live again", async () => (await w.abe.tile("spo2").getAttribute("data-state")) === "now", 30_000);
  await getsWaves(w.abe.page, "the doctor", 45_000);
  w.learnt.waveBackMs = Math.round(performance.now() - started);
  assert.ok(w.learnt.waveBackMs <= WAVE_BACK_WITHIN_MS, `the wave came back after ${w.learnt.waveBackMs} ms`);
});

step("ten minutes without the clinic's line: the nurse goes on measuring; all values arrive once, the late ones as 後着", async () => {
  await until("nothing waits at the gateway", async () => (await w.gateway.status()).waiting === 0);
  const placeBefore = await boardState();
  const cut = await counted(w.gateway);
  w.cable.cut();
  await w.nurse.sees("電波が切れています", 30_000);
  await w.nurse.sees("測定は続けられます");
  await until("the gateway knows it", async () => !(await w.gateway.status()).link.connected);
  for (let minute = 1; minute <= 10; minute += 1) {
    if (minute === 3 || minute === 7) await w.gateway.measure(CUFF);
    const before = (await w.gateway.status()).last_seq;
    await pass(MINUTE_MS);
    await until("a minute of values is on the gateway's disk", async () => (await w.gateway.status()).last_seq >= before + 60);
  }
  await until("the doctor sees no number that could be taken for now", async () => (await w.abe.tile("spo2").getAttribute("data-state")) === "blank");
  await w.abe.sees("患者さん側の画面が");
  await Promise.all([w.abe.look("doctor-site-cut"), w.nurse.look("nurse-cut"), w.coordinator.look("board-site-cut")]);
  const held = await counted(w.gateway);
  assert.ok(held.waiting >= 600, `ten minutes at one a second wait on the disk: ${held.waiting}`);
  w.cable.mend();
  await w.nurse.seesNoMore("電波が切れています", 30_000);
  await until("all of it has been delivered", async () => (await w.gateway.status()).waiting < 3, 60_000);
  await until("the doctor's tile is live again", async () => (await w.abe.tile("spo2").getAttribute("data-state")) === "now", 30_000);
  const measured = await allBetween(w.abe.screen, cut, held, [CUFF, OXIMETER]);
  const old = measured.filter((row) => held.now - row.outcome.gateway_time > MINUTE_MS);
  assert.ok(old.every((row) => row.late), "what is old when it arrives is marked late");
  const pressures = old.filter((row) => row.outcome.characteristic === "blood_pressure");
  assert.equal(pressures.length, 2, "both measurements of the cuff are among them");
  const shown = await w.abe.tile("spo2").locator("time").getAttribute("datetime");
  assert.ok(Date.parse(shown) > held.now, "only what was measured after the cut is called now");
  await w.abe.press("表で見る");
  await w.abe.page.locator(".readings tr", { hasText: "後着" }).first().waitFor();
  await w.abe.look("doctor-late-table");
  const newer = w.abe.tile("pressure").locator("button.newer-late");
  await newer.getByText("新しい値が後から届いています").waitFor();
  await w.abe.press("図で見る");
  await newer.click();
  await until("the late stretch is drawn", () => w.abe.lateBand());
  await w.abe.look("doctor-late-trend");
  assert.ok(same(await boardState(), placeBefore), "every place was kept");
  await seeAndHearEachOther([w.abe, w.nurse], 30_000);
  await getsWaves(w.abe.page, "the doctor", 15_000);
  w.learnt.cut = `${measured.length} readings in the cut, ${measured.filter((row) => row.late).length} late, ${pressures.length} pressures`;
});
