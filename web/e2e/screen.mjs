// One person's browser: opened as on their own device, with a camera and a microphone that need no
// hardware. It remembers where it sent requests and what readings reached it, takes pictures, and is
// looked over for accessibility.

import axe from "axe-core";
import { chromium } from "playwright-core";
import { writeFileSync } from "node:fs";
import { keepConnections } from "./media.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--allow-loopback-in-peer-connection",
  "--autoplay-policy=no-user-gesture-required",
  // Every page of the story counts as the one in front.
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
];
/** Without it nobody answers the browser's question about camera and microphone: it is denied. */
export const ALLOWED = "--use-fake-ui-for-media-stream";
const ACCESSIBILITY = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const JAPAN = { locale: "ja-JP", timezoneId: "Asia/Tokyo" };
export const DEVICES = {
  phone: { ...JAPAN, viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  tablet: { ...JAPAN, viewport: { width: 1180, height: 820 }, hasTouch: true },
  desktop: { ...JAPAN, viewport: { width: 1440, height: 900 } },
};

/** Wrapped browsers of this process. */
let behind = 0;

/** All screens of a story, in one browser but with nothing in common. */
export class Screens {
  /** Addresses that requests went to, and violations that were found: asserted at the end. */
  requests = new Set();
  violations = [];
  looked = 0;
  errors = [];
  #all = [];
  #context = {};

  /** `flags` are the browser's own, `context` what Playwright is to do otherwise. */
  static async open(house, { flags = [], context = {} } = {}) {
    const screens = new Screens();
    screens.house = house;
    screens.#context = context;
    screens.browser = await launch([...FLAGS, ALLOWED, ...flags]);
    return screens;
  }

  /**
   * Screens of a browser that a wrapper starts, with the browser's own command behind its words.
   * `further`: what else it has to be told of the place; as it is, that certificates are made on the spot.
   */
  static async behind(house, wrapper, further = ["--ignore-certificate-errors"]) {
    const screens = new Screens();
    screens.house = house;
    const starter = house.folder(`browser-${(behind += 1)}.sh`);
    const words = [...wrapper, CHROMIUM].map((word) => `'${word}'`).join(" ");
    writeFileSync(starter, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o700 });
    screens.browser = await chromium.launch({ executablePath: starter, args: [...FLAGS, ALLOWED, ...further] });
    return screens;
  }

  /** A screen whose person does not allow camera and microphone; its browser is one of its own. */
  async refusing(who, device) {
    this.refuser ??= await launch(FLAGS);
    return this.#screen(who, device, await this.refuser.newContext(DEVICES[device]));
  }

  async screen(who, device) {
    return this.#screen(who, device, await this.browser.newContext({ ...DEVICES[device], ...this.#context }));
  }

  async #screen(who, device, context) {
    await context.addInitScript(keepConnections);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const screen = new Screen(this, who, device, page);
    this.#all.push(screen);
    return screen;
  }

  /** A picture of whatever everybody sees, for whoever looks for the cause of a failure. */
  async pictureAll(name) {
    for (const screen of this.#all) {
      if (!screen.page.isClosed()) await screen.picture(`${name}-${screen.who}`).catch(() => undefined);
    }
  }

  async close() {
    await Promise.all([this.browser.close(), this.refuser?.close()]);
  }
}

function launch(args) {
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export class Screen {
  /** Readings that this screen was sent, and when it heard them: by subject, by cursor. */
  readings = new Map();
  #screens;

  constructor(screens, who, device, page) {
    this.#screens = screens;
    this.who = who;
    this.device = device;
    this.page = page;
    page.on("request", (request) => screens.requests.add(new URL(request.url()).origin));
    page.on("pageerror", (error) => screens.errors.push(`${who}: ${error.stack ?? error.message}`));
    page.on("console", (line) => {
      if (line.text().includes("Content Security Policy")) screens.errors.push(`${who}: ${line.text()}`);
    });
    page.on("response", (answer) => {
      const goodbye = answer.request().method() === "DELETE" && answer.url().includes("/relay/sessions/");
      if (goodbye && answer.status() === 404) screens.errors.push(`${who}: said goodbye to a call that was gone`);
    });
    page.on("websocket", (socket) => {
      screens.requests.add(new URL(socket.url()).origin.replace(/^ws/, "http"));
      socket.on("framereceived", ({ payload }) => this.#hear(String(payload)));
    });
  }

  #hear(text) {
    if (!text.startsWith("{") || !text.includes('"readings"')) return;
    const message = JSON.parse(text);
    if (message.type !== "readings") return;
    const known = this.readings.get(message.subject) ?? [];
    const heard = Date.now();
    known.push(...message.rows.map((row) => ({ ...row, heard })));
    this.readings.set(message.subject, known);
  }

  /** Every reading of everybody that this screen was sent, in the order of arrival. */
  get rows() {
    return [...this.readings.values()].flat();
  }

  /** Takes a picture of the state and looks over its accessibility. */
  async look(name) {
    await this.picture(name);
    await this.#lookOver(name);
  }

  async picture(name, whole = this.device !== "desktop") {
    const path = this.#screens.house.picture(name);
    // A dialog stands in the window, not on the page.
    const fullPage = whole && (await this.page.locator("dialog[open]").count()) === 0;
    // What sticks to the top would lie over the middle of a scrolled page.
    if (fullPage) await this.page.evaluate(() => window.scrollTo(0, 0));
    await this.page.screenshot({ path, fullPage, animations: "disabled", timeout: 30_000 });
  }

  async #lookOver(name) {
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(
      (tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }),
      ACCESSIBILITY,
    );
    if (found.passes.length === 0) throw new Error(`${name}: nothing was looked over`);
    this.#screens.looked += 1;
    for (const { id, help, nodes } of found.violations) {
      const where = nodes.map(({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary}`);
      this.#screens.violations.push(`${name}: ${id} (${help})\n    ${where.slice(0, 3).join("\n    ")}`);
    }
  }

  close() {
    return this.page.context().close();
  }
}
