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

/**
 * Waits until a screen has all that a gateway received between two of its counts; asserts that each
 * is there once and each device's in order. Gives the rows.
 */
export async function allBetween(screen, from, to, devices) {
  const rows = await until("the screen has everything", () => {
    const there = screen.rows.filter(({ outcome }) => outcome.gateway_time > from.now && outcome.gateway_time <= to.now);
    return there.length >= to.last_seq - from.last_seq && there;
  });
  assert.equal(rows.length, to.last_seq - from.last_seq, "as many as the gateway counted");
  eachOnceInOrder(rows, devices);
  return rows;
}

/** Asserts that of these rows each is there once, and each device's frames without a hole and in order. */
export function eachOnceInOrder(rows, devices) {
  assert.equal(new Set(rows.map((row) => row.outcome.id)).size, rows.length, "each once");
  for (const device of devices) {
    const frames = rows.filter(({ outcome }) => outcome.device.id === device).map(({ outcome }) => outcome.provenance.sequence);
    assert.ok(frames.length > 0 && frames.every((frame, at) => at === 0 || frame === frames[at - 1] + 1), `${device}: every frame, in order`);
  }
}
