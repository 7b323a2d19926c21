import { describe, expect, it } from "vitest";
import { advise, feel, Frames, FROZEN_MS, REJOIN_AFTER_MS, RESTART_PAUSE_MS, STALL_MS } from "./watchdog";

const known = {
  pulse: { bytes: 10, grewAt: 0 },
  company: true,
  ice: "connected" as RTCIceConnectionState,
  lastRestartAt: undefined,
  brokerHeard: true,
  now: 0,
};

describe("the call's watchdog", () => {
  it("leaves a call alone while bytes come", () => {
    const pulse = feel({ bytes: 10, grewAt: 0 }, 20, 9_000);
    expect(advise({ ...known, pulse, now: 9_500 })).toBe("well");
  });

  it("restarts the path after a second and a half of silence", () => {
    expect(advise({ ...known, now: STALL_MS - 1 })).toBe("well");
    expect(advise({ ...known, now: STALL_MS })).toBe("restart");
  });

  it("takes silence for nothing while nobody else is there", () => {
    expect(advise({ ...known, company: false, now: STALL_MS * 3 })).toBe("well");
    expect(advise({ ...known, company: false, ice: "disconnected", now: 10 })).toBe("restart");
  });

  it("does not share ICE's doubts while somebody is heard, until ICE gives up", () => {
    expect(advise({ ...known, ice: "disconnected", now: STALL_MS - 1 })).toBe("well");
    expect(advise({ ...known, ice: "failed", now: 10 })).toBe("restart");
  });

  it("gives a restart the time of a poor link", () => {
    const restarted = { ...known, lastRestartAt: 2_000 };
    expect(advise({ ...restarted, now: 2_000 + RESTART_PAUSE_MS - 1 })).toBe("well");
    expect(advise({ ...restarted, now: 2_000 + RESTART_PAUSE_MS })).toBe("restart");
  });

  it("joins anew when restarts do not help", () => {
    expect(advise({ ...known, now: REJOIN_AFTER_MS })).toBe("rejoin");
  });

  it("goes on mending the old way while nobody is heard who could give a new one", () => {
    expect(advise({ ...known, brokerHeard: false, now: REJOIN_AFTER_MS * 2 })).toBe("restart");
  });

  it("says since when a picture stands still, and forgets with a new person", () => {
    const frames = new Frames();
    frames.frozenSince(0, 5, 100);
    expect(frames.frozenSince(0, 5, 100 + FROZEN_MS)).toBe(100);
    expect(frames.frozenSince(0, 6, 200 + FROZEN_MS)).toBeUndefined();
    frames.frozenSince(0, 6, 300 + FROZEN_MS * 3);
    frames.forget(0);
    expect(frames.frozenSince(0, 1, 400 + FROZEN_MS * 3)).toBeUndefined();
  });
});
