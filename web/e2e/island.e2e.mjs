// A call from an island: its link is cut again and again, for half a minute, and for longer than
// anybody is waited for, and its address changes. The call comes back by itself each time, nobody loses
// the place, no reading is lost, and the pages say how it is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IslandClinic } from "./island/clinic.mjs";
import { dice, drop, move, quantile, runsFor } from "./island/recovery.mjs";
import { beginBesideALink, isBesideTheLink } from "./island/shores.mjs";
import { look } from "./island/told.mjs";
import { getsWaves, spareTheLargest } from "./media.mjs";
import { eachOnceInOrder } from "./readings.mjs";
import { until } from "./until.mjs";
import { OXIMETER } from "./world.mjs";

const DROPS = 4;
const MOVES = 2;
/** Half of the drops, and of the moves, are over sooner; on a machine that does all of it at once. */
const BACK_MS = 5_000;
const MOVED_MS = 3_000;
/** Nothing comes and the page says nothing, or everything comes and it still says that nothing does. */
const UNTRUE_MS = 8_000;
const BLACK_OUT_S = 30;
/** The largest picture of a camera, and how long a call may take to find its way up to it: a step up the ladder
 * comes once in fifteen seconds. */
const FULL_WIDTH = 640;
const WAY_UP_MS = 60_000;
/** Room for a voice, and hardly for the smallest picture beside it. */
const THIN_OUT = "96k";
/** What is older than this when it arrives is late; a little more, because two clocks are read. */
const LATE_MS = 15_000 + 1_000;
const DOCTOR_GRACE_MS = 60_000;

if (isBesideTheLink) {
  tests();
} else {
  process.exitCode = await beginBesideALink();
}

function tests() {
  let clinic;

  before(async () => {
    clinic = await IslandClinic.open("island");
    await clinic.call(OXIMETER);
    await clinic.watch();
  });

  after(() => clinic?.close());

  const seesAll = ({ page, who }) =>
    until(`${who} sees the full picture`, async () => (await look(page)).width >= FULL_WIDTH, WAY_UP_MS);

  test("on a good link both see each other's picture in full, and nothing is said of it", async () => {
    await Promise.all(clinic.people.map(seesAll));
    for (const { page } of clinic.people) {
      assert.equal(await page.getByText(/回線が|いま小さく|いま映像が小さく/).count(), 0);
    }
  });

  test("a browser spares the full picture by itself: both pages say that it is small, and blame no line", async () => {
    const { doctor, nurse } = clinic;
    const spares = await spareTheLargest(nurse.page);
    await nurse.sees("こちらの映像は、いま小さく送られています", 30_000);
    await doctor.sees("いま映像が小さく届いています", 30_000);
    await nurse.look("nurse-small-picture-out");
    await doctor.look("doctor-small-picture-in");
    for (const { page } of clinic.people) assert.equal(await page.getByText("回線が").count(), 0);
    await spares.end();
    await seesAll(doctor);
    await nurse.seesNoMore("こちらの映像は、いま小さく送られています", 10_000);
    await doctor.seesNoMore("いま映像が小さく届いています", 10_000);
  });

  test("the link is cut again and again: both hear and see each other soon after, in the same visit", async (t) => {
    const random = dice(3);
    const back_ms = [];
    for (let count = 0; count < DROPS; count += 1) {
      const came = await drop(clinic, 1_000 + 7_000 * random());
      back_ms.push(came.back_ms);
      t.diagnostic(`cut off for ${came.length_ms} ms, back ${came.back_ms} ms after the link`);
      for (const [who, { unsaid_ms, stale_ms }] of Object.entries(came.told)) {
        assert.ok(unsaid_ms < UNTRUE_MS, `${who}: silent for ${unsaid_ms} ms without a word`);
        assert.ok(stale_ms < UNTRUE_MS, `${who}: called cut for ${stale_ms} ms although all came`);
      }
      assert.ok(await clinic.isSameVisit());
      await runsFor(clinic.people, 1_000);
    }
    assert.ok(quantile(back_ms, 0.5) <= BACK_MS, back_ms.join(" "));
  });

  test("the island's address changes: the call follows", async (t) => {
    const gaps = [];
    for (let count = 0; count < MOVES; count += 1) {
      const came = await move(clinic, `203.0.113.${10 + count}`);
      gaps.push(came.back_ms);
      t.diagnostic(`longest gap ${came.back_ms} ms`);
      await runsFor(clinic.people, 1_000);
    }
    assert.ok(quantile(gaps, 0.5) <= MOVED_MS, gaps.join(" "));
    assert.ok(await clinic.isSameVisit());
    // The screen's own link was on the old address too.
    await clinic.nurse.seesNoMore("電波が切れています", 30_000);
  });

  test("the island's way out is thin: its page says what becomes of its own picture, the doctor's whose line it is", async () => {
    const { doctor, nurse, link } = clinic;
    await link.say(`up rate ${THIN_OUT}`);
    await nurse.sees("こちらの回線が細いため、こちらの映像", 60_000);
    await doctor.sees("相手側の回線が細く", 60_000);
    await nurse.look("nurse-thin-way-out");
    await doctor.look("doctor-thin-way-in");
    assert.equal(await nurse.page.getByText("相手側の回線が細く").count(), 0, "the way to the island carries all");
    await link.say("up rate none");
    // A camera feels its way up a size at a time, each after fifteen calm seconds.
    await nurse.seesNoMore("こちらの回線が細いため、こちらの映像", 150_000);
    await doctor.seesNoMore("相手側の回線が細く", 30_000);
    assert.ok(await clinic.isSameVisit());
  });

  test("half a minute of black-out: every reading arrives once and in order, the late ones as 後着", async (t) => {
    const { doctor, nurse, gateway, link } = clinic;
    const now = async () => (await doctor.tile("spo2").getAttribute("data-state")) === "now";
    await until("the oximeter is live", now, 30_000);
    const cut = await gateway.status();
    await Promise.all(clinic.people.map(({ watch }) => watch.from(Date.now() + BLACK_OUT_S * 1_000)));
    await link.say(`blackout ${BLACK_OUT_S}s`);
    await nurse.sees("電波が切れています", BLACK_OUT_S * 1_000);
    await nurse.sees("測定は続けられます");
    await doctor.sees("患者さん側の画面が", BLACK_OUT_S * 1_000);
    assert.ok(!(await now()), "the doctor sees no number that could be taken for now");
    for (const { who, watch } of clinic.people) {
      await until(`${who} hears and sees again`, async () => {
        const { first } = await watch.seen();
        return first.sound && first.picture;
      }, BLACK_OUT_S * 1_000 + 60_000);
    }
    await nurse.seesNoMore("電波が切れています", 30_000);
    await until("all of it has been delivered", async () => (await gateway.status()).waiting < 3, 60_000);
    await until("the oximeter is live again", now, 30_000);
    const rows = doctor.screen.rows.filter(({ outcome }) => outcome.gateway_time > cut.now);
    eachOnceInOrder(rows, [OXIMETER]);
    const late = rows.filter((row) => row.late);
    t.diagnostic(`${rows.length} readings, ${late.length} of them late`);
    assert.ok(rows.length >= BLACK_OUT_S, `one a second: ${rows.length}`);
    assert.ok(late.length > 0);
    assert.ok(rows.every((row) => row.late || row.stored - row.outcome.gateway_time < LATE_MS), "what is old is marked");
    await doctor.press("表で見る");
    await doctor.page.locator(".readings tr", { hasText: "後着" }).first().waitFor();
    await doctor.press("図で見る");
    await getsWaves(doctor.page, "the doctor", 45_000);
    assert.ok(await clinic.isSameVisit());
  });

  test("a doctor who is cut off for longer than the grace: the patient is at the front, under the same ticket", async () => {
    const { broker, link } = clinic;
    const { doctor, patient, code } = await clinic.callFromTheIsland();
    await link.say("blackout 600s");
    await patient.sees("先生の画面が切れています", 60_000);
    await broker.advance(DOCTOR_GRACE_MS);
    await until("the patient is next", async () => (await patient.ahead()) === 0, 30_000);
    assert.equal(await patient.code(), code);
    // A shorter one takes its place.
    await link.say("blackout 1ms");
    await doctor.isAtDesk(60_000);
    await doctor.seesNoMore("電波が切れています", 30_000);
    await doctor.callOne(code);
    await patient.answer();
    await doctor.isInVisit();
    assert.equal(await doctor.page.locator("header.strip .code").innerText(), code);
  });

  test("no page stumbled", () => {
    assert.deepEqual(clinic.errors, []);
  });
}
