// The bedside patient who is not ready, two doctors at one moment, and places that are kept.

import assert from "node:assert/strict";
import { Doctor, Nurse } from "../people.mjs";
import { until } from "../until.mjs";
import { atHome, CUFF, CUFF_TAKES_MS, FUMI, HANA, ICHIRO, NAMES, OXIMETER, pass, person, step, w } from "../world.mjs";

const RACES = 3;

step("the nurse takes a patient in at the bedside and attaches cuff and oximeter: values appear", async () => {
  // The clinic's tablet goes over the clinic's line.
  w.nurse = await person(Nurse, "nurse", "tablet");
  await w.nurse.signIn(w.broker.staffLink("nurse").replace(w.broker.origin, w.cable.origin));
  await w.nurse.look("nurse-empty");
  await w.nurse.act("admit").click();
  await w.nurse.look("nurse-admit");
  w.learnt.fumiCode = await w.nurse.admit(FUMI);
  await w.nurse.attach(CUFF);
  await w.nurse.attach(OXIMETER);
  await until("saturation and pulse are shown", async () => {
    const figures = await w.nurse.page.locator(".tiles .tile:is([data-vital=spo2],[data-vital=pulse]) .figure").allInnerTexts();
    return figures.length === 2 && figures.every((figure) => /^\d+$/.test(figure));
  });
  await w.nurse.measure(CUFF);
  await w.nurse.device(CUFF).getByText("はかっています").waitFor();
  await pass(CUFF_TAKES_MS);
  await until("a blood pressure is shown", async () => /^\d+\/\d+$/.test(await w.nurse.tile("pressure").locator(".figure").innerText()), 25_000);
  await w.nurse.look("nurse-measured");
});

step("a bedside patient cannot be called before the nurse says ready", async () => {
  w.abe = await person(Doctor, "abe", "desktop");
  w.mori = await person(Doctor, "mori", "desktop");
  await Promise.all([w.abe.signIn(w.broker.staffLink("abe")), w.mori.signIn(w.broker.staffLink("mori"))]);
  await w.abe.look("doctor-off-duty");
  await Promise.all([w.abe.goOnDuty(), w.mori.goOnDuty()]);
  const fumi = w.abe.row(w.learnt.fumiCode);
  await fumi.getByText("看護師が準備中").waitFor();
  assert.ok(await w.abe.act("call-one", fumi).isDisabled(), "not ready: nobody can call her");
  await w.abe.look("doctor-desk");
  await w.nurse.ready();
  await until("she is callable now", () => w.abe.act("call-one", fumi).isEnabled());
  await w.nurse.look("nurse-ready");
  // She is not the one the next steps are about.
  await w.nurse.press("準備を取り消す");
  await until("she is not callable any more", () => w.abe.act("call-one", fumi).isDisabled());
});

step("two doctors press Next at the very same moment: one gets the patient, the other is told", async () => {
  await w.hana.leave();
  await w.ichiro.leave();
  await w.hana.screen.close();
  await w.ichiro.screen.close();
  w.learnt.races = [];
  for (let race = 1; race <= RACES; race += 1) await raceForOne(race);
});

/** One fresh patient, two doctors, one moment. */
async function raceForOne(race) {
  const { patient, code } = await atHome(`racer-${race}`, { ...HANA, name: `競走 ${race}` });
  await Promise.all([w.abe, w.mori].map((doctor) => doctor.row(code).waitFor()));
  const moment = Date.now() + 300;
  await Promise.all([w.abe.pressNextAt(moment), w.mori.pressNextAt(moment)]);
  const won = (doctor) => doctor.page.locator("main.ringing").isVisible();
  await until("somebody has the patient", async () => (await won(w.abe)) || (await won(w.mori)));
  const winner = (await won(w.abe)) ? w.abe : w.mori;
  const loser = winner === w.abe ? w.mori : w.abe;
  await loser.notice.waitFor();
  const told = await loser.notice.innerText();
  assert.ok(await won(winner), "the winner has the patient");
  assert.ok(!(await won(loser)), "the loser has nobody");
  assert.equal(told, `${NAMES[winner.who]} 先生がたったいま呼び入れました。`, "the loser is told who won");
  w.learnt.races.push(`${winner.who} won; ${loser.who} was told: ${told}`);
  await w.coordinator.seesInColumn(code, "called");
  await patient.sees("先生がお呼びです");
  if (race === 1) {
    await winner.look("doctor-ringing");
    await loser.look("doctor-too-late");
    await patient.look("patient-called");
  }
  await winner.act("cancel-call").click();
  await patient.sees("呼び出しが取り消されました");
  await patient.leave();
  await patient.screen.close();
  await winner.isAtDesk();
  await loser.press("閉じる", loser.page.locator(".notice"));
}

step("who reloads keeps the place; who closes the page and comes back too", async () => {
  const first = await atHome("hana", HANA);
  const second = await atHome("ichiro", ICHIRO);
  [w.hana, w.ichiro] = [first.patient, second.patient];
  Object.assign(w.learnt, { hanaCode: first.code, hanaLink: first.link, ichiroCode: second.code });
  // At the bedside somebody waits who came before them both, and is not ready yet.
  await until("hana is ahead of ichiro", async () => (await w.hana.ahead()) === 1 && (await w.ichiro.ahead()) === 2);
  await w.hana.page.reload();
  await w.hana.page.locator(".own-code strong").waitFor();
  assert.equal(await w.hana.code(), first.code, "the same ticket");
  assert.equal(await w.hana.ahead(), 1, "the same place");
  const again = await w.ichiro.page.context().newPage();
  await w.ichiro.page.close();
  await again.goto(`${w.broker.origin}/p`);
  w.ichiro.page = w.ichiro.screen.page = again;
  await w.ichiro.page.locator(".own-code strong").waitFor();
  assert.equal(await w.ichiro.code(), second.code, "the same ticket");
  assert.equal(await w.ichiro.ahead(), 2, "the same place");
});
