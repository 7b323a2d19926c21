// Links, the spoken number, a second device, another browser, the check of camera and microphone.

import assert from "node:assert/strict";
import { Coordinator, Patient } from "../people.mjs";
import { until } from "../until.mjs";
import { HANA, ICHIRO, person, step, w } from "../world.mjs";

step("the coordinator comes in by a link that opens once, and never again", async () => {
  const link = w.broker.staffLink("coordinator");
  w.coordinator = await person(Coordinator, "coordinator", "desktop");
  await w.coordinator.signIn(link);
  await w.coordinator.look("board-empty");

  const thief = await person(Coordinator, "thief", "desktop");
  await thief.page.goto(link);
  await thief.sees("このリンクはもう使えません");
  await thief.look("sign-in-used-link");
  await thief.screen.close();
});

step("a page speaks to this service alone: sockets to anybody else are stopped by the browser", async () => {
  // A page of its own: what is tried here would count as an error of the page.
  const page = await w.coordinator.page.context().newPage();
  await page.goto(`${w.broker.origin}/board`);
  const reach = (url) =>
    page.evaluate(
      (to) =>
        new Promise((settle) => {
          document.addEventListener("securitypolicyviolation", (event) => settle(`stopped: ${event.effectiveDirective}`), { once: true });
          const socket = new WebSocket(to);
          socket.onopen = () => settle("open");
          // The violation is told first; whatever else fails was let out.
          socket.onerror = () => setTimeout(() => settle("let out"), 1_000);
        }),
      url,
    );
  const own = w.broker.origin.replace(/^http/, "ws");
  assert.equal(await reach(`${own}/ws?as=board`), "open");
  for (const elsewhere of ["ws://127.0.0.1:1/", "wss://elsewhere.example/", own.replace("127.0.0.1", "localhost")]) {
    assert.equal(await reach(`${elsewhere}`), "stopped: connect-src", elsewhere);
  }
  await page.close();
});

step("a link is issued for one patient; twenty previews of it use nothing up", async () => {
  const issued = await w.coordinator.invite(HANA);
  assert.match(issued.spoken, /^\d{8}$/);
  assert.match(new URL(issued.link).hash, /^#[\w-]{32,}$/, "128 bits or more stand behind the #");
  await w.coordinator.look("board-issued");
  await w.coordinator.closeIssued();
  const previews = Array.from({ length: 20 }, (_, at) => fetch(issued.link, { method: at % 2 ? "HEAD" : "GET" }));
  for (const answer of await Promise.all(previews)) assert.equal(answer.status, 200);
  Object.assign(w.learnt, { hanaLink: issued.link, hanaCode: issued.code });
});

step("the patient opens the link on a phone, comes in by one tap, checks the camera and sees the place", async () => {
  w.hana = await person(Patient, "hana", "phone");
  await w.hana.open(w.learnt.hanaLink);
  assert.equal(new URL(w.hana.page.url()).hash, "", "the secret has left the address bar");
  await w.hana.look("patient-welcome");
  await w.hana.join();
  assert.equal(await w.hana.code(), w.learnt.hanaCode);
  await w.hana.check();
  await w.hana.look("patient-check");
  await w.hana.button("これで大丈夫").tap();
  await w.hana.sees("カメラとマイクの準備ができました");
  assert.equal(await w.hana.ahead(), 0);
  await w.hana.look("patient-waiting-first");
  await w.coordinator.seesInColumn(w.learnt.hanaCode, "waiting");
});

step("another patient comes in by the spoken number; a wrong number is refused in words", async () => {
  const issued = await w.coordinator.invite(ICHIRO);
  await w.coordinator.closeIssued();
  w.ichiro = await person(Patient, "ichiro", "phone");
  await w.ichiro.page.goto(`${w.broker.origin}/p`);
  const wrong = issued.spoken === "00000000" ? "11111111" : "00000000";
  await w.ichiro.joinBySpoken(wrong);
  await w.ichiro.sees("番号が違うか、期限が切れています。");
  await w.ichiro.look("patient-wrong-number");
  await w.ichiro.joinBySpoken(issued.spoken);
  assert.equal(await w.ichiro.code(), issued.code);
  await until("one person is ahead", async () => (await w.ichiro.ahead()) === 1);
  await w.ichiro.look("patient-waiting-second");
  await w.ichiro.lookInEnglish("patient-waiting-english");
  w.learnt.ichiroCode = issued.code;
});

step("a second device with the same link waits until the clinic allows it", async () => {
  const second = await person(Patient, "second-device", "phone");
  await second.open(w.learnt.hanaLink);
  await second.act("join").tap();
  await second.sees("医療機関が確認中です");
  await second.look("patient-second-device");
  const ask = w.coordinator.alert("device_request");
  await ask.getByText(w.learnt.hanaCode).waitFor();
  await w.coordinator.look("board-second-device");
  await w.coordinator.press("使ってよい", ask);
  await second.page.locator(".own-code strong").waitFor();
  assert.equal(await second.code(), w.learnt.hanaCode, "the same ticket");
  await second.screen.close();
});

step("a browser inside an app hands its place over by a number that works once", async () => {
  const number = await w.ichiro.otherBrowser();
  await w.ichiro.look("patient-other-browser");
  const safari = await person(Patient, "ichiro-safari", "phone");
  await safari.open(`${w.broker.origin}/p#t=${number}`);
  await safari.join();
  assert.equal(await safari.code(), w.learnt.ichiroCode, "the same ticket");
  assert.equal(await safari.ahead(), 1, "the same place");
  await w.ichiro.sees("順番は、別のブラウザに移りました");
  await w.ichiro.sees("すぐに医療機関へお電話ください");
  assert.equal(await w.ichiro.page.locator('a[href^="tel:0599"]').count(), 1, "whom to telephone stands there");
  await w.ichiro.look("patient-moved-away");
  await w.ichiro.lookInEnglish("patient-moved-away-english");
  await w.ichiro.screen.close();
  w.ichiro = safari;
});

step("who does not allow camera and microphone is told what to do, in plain words", async () => {
  const sato = new Patient(await w.screens.refusing("sato", "phone"));
  await sato.open(w.broker.patientLink);
  await sato.join();
  await sato.act("check").tap();
  await sato.sees("マイクが許可されていません。");
  await sato.sees("カメラが許可されていません。");
  await sato.look("patient-check-denied");
  await sato.leave();
  await sato.screen.close();
});
