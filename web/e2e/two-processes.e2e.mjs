// Signaling and the relay as two processes: signaling is killed and started again in the middle of a
// call. The call must not notice, and the screens must come back to the same visit by themselves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Broker, Relay } from "./broker.mjs";
import { House } from "./house.mjs";
import { flow, seeAndHearEachOther, watchFrames } from "./media.mjs";
import { Doctor, Patient } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { until } from "./until.mjs";

/** A page calls the path dead after so long without a packet. */
const SILENCE_MS = 1_500;
/** So many pictures have to be decoded while signaling is not there at all. */
const FRAMES_WITHOUT_SIGNALING = 40;
const REMOVED_WITHIN_MS = 2_000;

const house = new House("two-processes");
let relay, signaling, screens, abe, patient;

before(async () => {
  relay = await Relay.reserve();
  signaling = await Broker.signaling(house, relay.origin);
  await relay.start(house, signaling);
  screens = await Screens.open(house);
});

after(async () => {
  await screens?.close();
  await relay?.kill();
  await signaling?.stop();
  house.leave();
});

test("a call goes through a relay that is another process; no question moves under a finger as it comes up", async () => {
  abe = new Doctor(await screens.screen("abe", "desktop"));
  patient = new Patient(await screens.screen("patient", "phone"));
  await abe.signIn(signaling.staffLink("abe"));
  await abe.goOnDuty();
  await patient.open(signaling.patientLink);
  await patient.join();
  await abe.callNext();
  const places = await patient.watchPlace("identity");
  await patient.answer();
  await abe.isInVisit();
  await seeAndHearEachOther([abe, patient]);
  assert.equal((await places()).length, 1, `the question stood at ${await places()}`);
  await Promise.all([abe.confirmIdentity(), patient.confirmIdentity()]);
  await patient.consent();
});

test("signaling is killed in the call: pictures go on without a gap, then the screens resume", async (t) => {
  const people = [abe, patient];
  const watches = await Promise.all(people.map(({ page }) => watchFrames(page)));
  const before = await Promise.all(people.map(({ page }) => flow(page)));
  await signaling.kill();
  await Promise.all([abe.sees("電波が切れています", 30_000), patient.sees("画面の更新が止まっています", 30_000)]);
  for (const [at, { page, who }] of people.entries()) {
    await until(`${who} goes on seeing`, async () => (await flow(page)).frames >= before[at].frames + FRAMES_WITHOUT_SIGNALING);
    await until(`${who} goes on hearing`, async () => (await flow(page)).audioPackets > before[at].audioPackets + 50);
  }
  await abe.sees("通話は別の道なので");
  await patient.sees("声が聞こえていれば、そのまま話してください");
  assert.equal(await patient.page.getByText("順番は").count(), 0, "in a visit there is no queue to speak of");
  await Promise.all(people.map((one) => one.look(`${one.who}-signaling-gone`)));
  await signaling.start();
  await abe.seesNoMore("電波が切れています", 30_000);
  await patient.seesNoMore("画面の更新が止まっています", 30_000);
  await abe.say("聞こえますか");
  await patient.sees("聞こえますか");
  await seeAndHearEachOther(people);
  for (const [at, watch] of watches.entries()) {
    const { longestGapMs, frames, isSame } = await watch.end();
    t.diagnostic(`${people[at].who}: ${frames} frames, longest pause ${longestGapMs} ms`);
    assert.ok(isSame, `${people[at].who} is on the very same connection`);
    assert.ok(longestGapMs < SILENCE_MS, `${people[at].who}: ${longestGapMs} ms without a picture`);
  }
});

test("the end of the visit reaches the relay through the new signaling: nobody stays in the call", async () => {
  await abe.end("診察終了");
  await until("the patient's connection is closed", async () => (await flow(patient.page)).connection === -1, REMOVED_WITHIN_MS);
  await patient.sees("診察が終わりました");
});

test("no request went beyond signaling and the relay, no page stumbled, every state is accessible", () => {
  const known = new Set([signaling.origin, relay.origin]);
  assert.deepEqual([...screens.requests].filter((origin) => !known.has(origin) && origin !== "null"), []);
  assert.deepEqual(screens.errors, []);
  assert.deepEqual(screens.violations, []);
});
