// The people of the story, each with the verbs that their own page gives them. They find things as
// a person does: by what is written on them.

import assert from "node:assert/strict";
import { until } from "./until.mjs";

class Somebody {
  constructor(screen) {
    this.screen = screen;
    this.page = screen.page;
    this.who = screen.who;
  }

  button(name, where = this.page) {
    return where.getByRole("button", { name });
  }

  press(name, where) {
    return this.button(name, where).click();
  }

  act(name, where = this.page) {
    return where.locator(`[data-act="${name}"]`);
  }

  /** Closes the notice at the foot of the page, if there is one. */
  async putAway() {
    const close = this.button("閉じる", this.page.locator(".notice"));
    if (await close.isVisible()) await close.click();
  }

  async sees(text, within_ms) {
    await this.page.getByText(text).first().waitFor({ timeout: within_ms });
  }

  /** Waits until a sentence is gone. */
  async seesNoMore(text, within_ms = 15_000) {
    await until(`${this.who} no longer sees ${text}`, async () => (await this.page.getByText(text).count()) === 0, within_ms);
  }

  look(name) {
    return this.screen.look(name);
  }

  /** Notes from now on where a button stands on the page; what it gives tells every place, in CSS pixels from the top. */
  async watchPlace(act) {
    await this.page.evaluate((act) => {
      window.placesOfTest = new Set();
      const note = () => {
        const button = document.querySelector(`[data-act="${act}"]`);
        if (button) window.placesOfTest.add(Math.round(button.getBoundingClientRect().top + window.scrollY));
        requestAnimationFrame(note);
      };
      note();
    }, act);
    return () => this.page.evaluate(() => [...window.placesOfTest]);
  }

  /** The same page in English, and back. */
  async lookInEnglish(name) {
    await this.page.getByText("English", { exact: true }).click();
    await until(`${this.who} reads English`, async () => (await this.page.getAttribute("html", "lang")) === "en");
    await this.look(name);
    await this.page.getByText("日本語", { exact: true }).click();
    await until(`${this.who} reads Japanese`, async () => (await this.page.getAttribute("html", "lang")) === "ja");
  }

  picture(name) {
    return this.screen.picture(name);
  }
}

class Staff extends Somebody {
  async signIn(link) {
    await this.page.goto(link);
    await this.button("ログアウト").waitFor();
    assert.equal(new URL(this.page.url()).hash, "", "the one-time secret has left the address bar");
  }
}

export class Coordinator extends Staff {
  /** Issues a link for one person, as the form asks; gives the link, the spoken number, the code. */
  async invite(person) {
    await this.act("invite").click();
    await this.fill(person);
    await this.act("issue").click();
    const line = this.page.locator(".issued tr[data-ticket]");
    await line.waitFor();
    const link = await line.locator("input.address").inputValue();
    const spoken = (await line.locator(".spoken").innerText()).replace(/\D/g, "");
    const code = await line.locator(".code").innerText();
    return { link, spoken, code };
  }

  async fill({ name, kana, birth, phone, place }) {
    const dialog = this.page.getByRole("dialog");
    await dialog.getByLabel("氏名").fill(name);
    await dialog.getByLabel("ふりがな").fill(kana);
    await dialog.getByLabel("生年月日").fill(birth);
    await dialog.getByLabel("折り返し電話").fill(phone);
    await dialog.getByLabel("いる場所").fill(place);
  }

  /** Closes the list of fresh links; it asks once, because it shows them only once. */
  async closeIssued() {
    const dialog = this.page.getByRole("dialog");
    await this.press("閉じる", dialog);
    await dialog.getByRole("alert").waitFor();
    await this.press("閉じる", dialog);
    await dialog.waitFor({ state: "detached" });
  }

  /** The column of the board in which a ticket hangs. */
  column(code) {
    return this.page
      .locator(`section[data-column]:has(.magnet[data-code="${code}"])`)
      .first()
      .getAttribute("data-column");
  }

  async seesInColumn(code, column, within_ms = 15_000) {
    const magnet = this.page.locator(`section[data-column="${column}"] .magnet[data-code="${code}"]`);
    await magnet.waitFor({ timeout: within_ms });
  }

  alert(kind) {
    return this.page.locator(`article[data-alert="${kind}"]`);
  }
}

export class Doctor extends Staff {
  async goOnDuty() {
    const duty = this.page.locator('[data-duty="on"]');
    await duty.click();
    await until(`${this.who} is on duty`, async () => (await duty.getAttribute("aria-pressed")) === "true");
  }

  row(code) {
    return this.page.locator(`.queue-row[data-code="${code}"]`);
  }

  get next() {
    return this.act("call-next");
  }

  /** Presses 呼び入れ; the page goes on to whoever is called. */
  async callNext() {
    await until(`${this.who} may press Next`, () => this.next.isEnabled());
    await this.next.click();
  }

  async callOne(code) {
    const button = this.act("call-one", this.row(code));
    await until(`${this.who} may call ${code}`, () => button.isEnabled());
    await button.click();
  }

  /** Arms the button, so that it is pressed in the page itself at one agreed moment. */
  pressNextAt(moment) {
    return this.page.evaluate(
      (at) =>
        new Promise((pressed) => {
          const button = document.querySelector('[data-act="call-next"]');
          const wait = () => {
            if (Date.now() < at) return setTimeout(wait, 0);
            button.click();
            pressed(button.disabled);
          };
          wait();
        }),
      moment,
    );
  }

  get notice() {
    return this.page.locator(".notice span");
  }

  async isInVisit(within_ms = 15_000) {
    await this.page.locator("main.visit").waitFor({ timeout: within_ms });
  }

  async isAtDesk(within_ms = 15_000) {
    await this.page.locator("main.desk").waitFor({ timeout: within_ms });
  }

  async confirmIdentity() {
    await this.page.getByLabel("氏名と生年月日を聞いた").check();
    await this.act("confirm-identity").click();
  }

  tile(vital) {
    return this.page.locator(`.now .tile[data-vital="${vital}"]`);
  }

  async order(text) {
    await this.page.getByLabel("指示を書く").fill(text);
    await this.press("出す");
  }

  async say(text) {
    await this.page.getByLabel("メッセージを書く").fill(text);
    await this.press("送る");
  }

  async end(disposition, note = "") {
    await this.act("end").click();
    const dialog = this.page.getByRole("dialog");
    await dialog.getByLabel(disposition, { exact: true }).check();
    if (note) await dialog.locator("textarea").fill(note);
    await this.act("end-visit").click();
    await this.isAtDesk();
  }

  async offerHandOver(name) {
    await this.press("引き継ぐ");
    const dialog = this.page.getByRole("dialog");
    await dialog.locator("li", { hasText: name }).locator('[data-act="offer"]').click();
    await dialog.waitFor({ state: "detached" });
  }

  /** Whether the bracket over a stretch of late readings is drawn. */
  lateBand() {
    return this.page.evaluate(() => {
      const canvas = document.querySelector(".plots canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let lit = 0;
      for (let at = 0; at < data.length; at += 4) {
        // Its own brown; no line has it.
        if (data[at] > 110 && data[at] < 160 && data[at + 1] < 95 && data[at + 2] < 40 && data[at + 3] > 200) lit += 1;
      }
      return lit > 100;
    });
  }

  /** Whether the drawn wave has a line, and a sum of its points that changes as it moves. */
  wave() {
    return this.page.evaluate(() => {
      const canvas = document.querySelector(".wave canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let [lit, sum] = [0, 0];
      for (let at = 0; at < data.length; at += 4) {
        // The wave's own colour; the faint lines of the seconds are white.
        if (data[at + 1] > 150 && data[at + 1] > data[at] + 40 && data[at + 3] > 120) {
          lit += 1;
          sum = (sum * 31 + at) % 1_000_000_007;
        }
      }
      return { lit, sum };
    });
  }
}

export class Nurse extends Staff {
  /** Fills in and sends the form of 受付, which is open; gives the ticket's code. */
  async admit({ name, kana, birth, phone, place }) {
    await this.page.getByLabel("氏名").fill(name);
    await this.page.getByLabel("ふりがな").fill(kana);
    await this.page.getByLabel("生年月日").fill(birth);
    await this.page.getByLabel("折り返し電話").fill(phone);
    await this.page.getByLabel("いる場所").fill(place);
    await this.putAway();
    await this.act("admit-do").click();
    await this.page.locator("header.head .name", { hasText: name }).waitFor();
    return this.page.locator("header.head .code").innerText();
  }

  async open(code) {
    await this.page.locator(".tickets button", { hasText: code }).click();
    await this.page.locator("header.head .code", { hasText: code }).waitFor();
  }

  device(name) {
    return this.page.locator(`[data-device="${name}"]`);
  }

  async attach(name) {
    await this.act("attach", this.device(name)).click();
    await this.act("attach-do").click();
    await this.act("detach", this.device(name)).waitFor();
  }

  async detach(name) {
    await this.act("detach", this.device(name)).click();
    // During a visit it is then among those that are folded away.
    await this.act("attach", this.device(name)).waitFor({ state: "attached" });
  }

  async measure(name) {
    const button = this.act("measure", this.device(name));
    await until(`${name} can be started`, () => button.isEnabled());
    await button.click();
  }

  async letFail(name, fault) {
    const device = this.device(name);
    const folded = device.locator("details.rehearsal");
    if ((await folded.getAttribute("open")) === null) await folded.locator("summary").click();
    await device.locator(`[data-fault="${fault}"]`).click();
  }

  async ready() {
    await this.act("ready").click();
    await this.button("準備を取り消す").waitFor();
  }

  async answer() {
    await this.act("answer").click();
    await this.page.locator(".visit-panel").waitFor();
  }

  tile(vital) {
    return this.page.locator(`.tiles .tile[data-vital="${vital}"]`);
  }

  async confirmIdentity() {
    await this.press("氏名と生年月日を聞いた");
  }

  async takeConsent() {
    await this.act("consent").click();
  }

  async showPatientView() {
    await this.act("patient-view").click();
    await this.press("患者さんに見せる", this.page.getByRole("dialog"));
    await this.act("leave-view").waitFor();
  }

  async leavePatientView(pin) {
    const dialog = this.page.getByRole("dialog");
    if ((await dialog.count()) === 0) await this.act("leave-view").click();
    await dialog.getByLabel("暗証番号").fill(pin);
    await this.press("戻す", dialog);
  }
}

/** A doctor on duty takes a bedside patient, who may wear devices; both sides have confirmed who it is. */
export async function bedsideCall(broker, doctor, nurse, patient, ...devices) {
  await doctor.signIn(broker.staffLink("abe"));
  await doctor.goOnDuty();
  await nurse.signIn(broker.staffLink("nurse"));
  await nurse.act("admit").click();
  const code = await nurse.admit(patient);
  for (const device of devices) await nurse.attach(device);
  await nurse.ready();
  await doctor.callOne(code);
  await nurse.answer();
  await doctor.isInVisit();
  await Promise.all([doctor.confirmIdentity(), nurse.confirmIdentity()]);
}

export class Patient extends Somebody {
  async open(link) {
    await this.page.goto(link);
    await this.act("join").waitFor();
  }

  async join() {
    await this.act("join").tap();
    await this.page.locator(".own-code strong").waitFor();
  }

  async joinBySpoken(number) {
    await this.page.getByLabel("8けたの番号").fill(number);
    await this.button("入る").tap();
  }

  async code() {
    return this.page.locator(".own-code strong").innerText();
  }

  /** How many the page says are ahead. */
  async ahead() {
    const words = await this.page.locator(".queue h1").innerText();
    if (words === "次はあなたの番です") return 0;
    return Number(/あなたの前に\s*(\d+)\s*人います/.exec(words)?.[1]);
  }

  async check() {
    await this.act("check").tap();
    await this.page.locator("video.mirror").waitFor();
    await until(`${this.who} sees the own picture`, () =>
      this.page.evaluate(() => document.querySelector("video.mirror")?.videoWidth > 0),
    );
    await this.sees("マイク：声が届いています");
  }

  /** A number that carries the place over to another browser. */
  async otherBrowser() {
    await this.page.locator("details.trouble summary").tap();
    await this.button("別のブラウザで開く").tap();
    const number = await this.page.locator(".handed .number").innerText();
    return number.replace(/\D/g, "");
  }

  async answer() {
    await this.act("answer").tap();
    await this.page.locator(".visit .call").waitFor();
  }

  async confirmIdentity() {
    await this.act("identity").tap();
    await this.sees("ご本人と確認しました");
  }

  async consent() {
    await this.act("consent").tap();
    await this.sees("同意しました");
  }

  async leave() {
    await this.page.locator("details.trouble summary").tap();
    await this.button("順番をやめる").tap();
    await this.button("やめる", this.page.getByRole("dialog")).tap();
    await this.sees("順番をやめました");
  }

  async say(text) {
    const write = this.button("文字で伝える");
    if (await write.isVisible()) await write.tap();
    await this.page.getByLabel("メッセージを書く").fill(text);
    await this.button("送る").tap();
  }
}
