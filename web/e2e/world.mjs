// What the chapters of the story share: the programs, the people as they come in, what one step
// learns for a later one, and the questions that several of them ask.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker } from "./broker.mjs";
import { Cable } from "./cable.mjs";
import { Gateway } from "./gateway.mjs";
import { House } from "./house.mjs";
import { Patient } from "./people.mjs";
import { Screens } from "./screen.mjs";

export const HANA = { name: "山田 花", kana: "やまだ はな", birth: "昭和19年12月1日", phone: "0599-00-0002", place: "港市港島 1-1" };
export const ICHIRO = { name: "鈴木 一郎", kana: "すずき いちろう", birth: "1950-03-03", phone: "0599-00-0003", place: "港市港島 1-2" };
export const FUMI = { name: "田中 ふみ", kana: "たなか ふみ", birth: "1938-05-05", phone: "0599-00-0004", place: "港島診療所" };
export const KEN = { name: "小島 健", kana: "こじま けん", birth: "1960-07-07", phone: "0599-00-0005", place: "港島診療所" };
export const [CUFF, OXIMETER] = ["sim-cuff-1", "sim-oximeter-1"];
export const NAMES = { abe: "阿部 直子", mori: "森 健一" };
export const NURSE_PIN = "2468";
/** A simulated measurement is over by then. */
export const CUFF_TAKES_MS = 12_000;

/** The story's world: broker, cable, gateway, screens; coordinator, abe, mori, nurse, hana, ichiro. */
export const w = {
  /** Ticket codes, links, figures. */
  learnt: {},
};
let house;
let failed = false;

export async function open() {
  house = new House("story");
  w.broker = await Broker.all(house);
  w.cable = await Cable.to(w.broker.port);
  w.gateway = await Gateway.start(house, w.cable.origin, w.broker.enrolCode);
  w.screens = await Screens.open(house);
}

export async function close() {
  await w.screens?.close();
  await w.gateway?.stop();
  await w.cable?.remove();
  await w.broker?.stop();
  house?.leave();
}

/** A step; after one that failed the others are not tried, and each says so. */
export function step(sentence, play) {
  test(sentence, async (t) => {
    assert.ok(!failed, "a step before this one failed");
    try {
      await play(t);
    } catch (error) {
      failed = true;
      await w.screens?.pictureAll("failed");
      throw error;
    }
  });
}

export async function person(Kind, who, device) {
  return new Kind(await w.screens.screen(who, device));
}

/** A patient at home: invited on the board, joined on a phone, waiting. */
export async function atHome(who, somebody) {
  const { link, code } = await w.coordinator.invite(somebody);
  await w.coordinator.closeIssued();
  const patient = await person(Patient, who, "phone");
  await patient.open(link);
  await patient.join();
  return { patient, code, link };
}

/** Time passes for the broker and for the box on the wall. */
export async function pass(ms) {
  await w.broker.advance(ms);
  await w.gateway.advance(ms);
}

/** A tile's number as it is written. */
export async function figure(tile) {
  return (await tile.locator(".figure").innerText()).replace(/\s/g, "");
}

/** Which ticket hangs in which column. The demonstration invites one more at each start. */
export async function boardState() {
  const magnets = await w.coordinator.page.locator(".magnet").evaluateAll((all) =>
    all.map((one) => [one.dataset.code, one.closest("section").dataset.column]),
  );
  return magnets.filter(([code]) => !code.startsWith("H-")).sort();
}

export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Which of a page's connections is open: its place among all that it ever made, or -1. */
export function callOf(page) {
  return page.evaluate(() =>
    window.connectionsOfTest.findLastIndex((one) => one.connectionState === "connected"),
  );
}
