// What a gateway took down and what of it reached a screen.

import assert from "node:assert/strict";
import { until } from "./until.mjs";

/** The gateway's count at a moment at which everything that was heard is on its disk. */
export async function counted(gateway) {
  let before;
  return until("nothing is being written", async () => {
    const now = await gateway.status();
    const isSettled = before?.last_seq === now.last_seq;
    before = now;
    return isSettled && now;
  });
}

/** What a screen has of the time between two of the gateway's counts. */
export function rowsBetween(screen, from, to) {
  return screen.rows.filter(({ outcome }) => outcome.gateway_time > from.now && outcome.gateway_time <= to.now);
}

/**
 * Waits until a screen has all that a gateway received between two of its counts; asserts that each
 * is there once and each device's in order. Gives the rows.
 */
export async function allBetween(screen, from, to, devices) {
  const rows = await until("the screen has everything", () => {
    const there = rowsBetween(screen, from, to);
    return there.length >= to.last_seq - from.last_seq && there;
  });
  assert.equal(rows.length, to.last_seq - from.last_seq, "as many as the gateway counted");
  eachOnceInOrder(rows, devices);
  return rows;
}

/** Asserts that of these rows each is there once, and each device's frames without a hole and in order. */
export function eachOnceInOrder(rows, devices) {
  const { twice, astray, silent } = flaws(rows, devices);
  assert.equal(twice, 0, "each once");
  assert.deepEqual(silent, [], "from every device");
  assert.equal(astray, 0, "every frame, in order");
}

/**
 * What is wrong with rows: how many are there again, how many do not follow the frame before them
 * (one is missing, or came in another order), and which devices have none.
 */
export function flaws(rows, devices) {
  const ids = new Set(rows.map((row) => row.outcome.id));
  const frames = devices.map((device) =>
    rows.filter(({ outcome }) => outcome.device.id === device).map(({ outcome }) => outcome.provenance.sequence),
  );
  const strays = (all) => all.filter((frame, at) => at > 0 && frame !== all[at - 1] + 1).length;
  return {
    twice: rows.length - ids.size,
    astray: frames.reduce((sum, all) => sum + strays(all), 0),
    silent: devices.filter((_, at) => frames[at].length === 0),
  };
}
