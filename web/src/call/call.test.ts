import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { view } from "../wire/testing";
import type { MediaGrant, Row, VisitRow } from "../wire/types";
import { Views } from "../wire/views";
import type { Wire } from "../wire/wire";
import { Call } from "./call";

const { made, refusing } = vi.hoisted(() => ({
  made: [] as { grant?: MediaGrant; isDropped: boolean }[],
  refusing: new Set<number>(),
}));

vi.mock("./own", () => ({
  Own: class {
    stream = signal(undefined);
    faults = signal({});
    microphone = signal(true);
    camera = signal(true);
    hold = () => Promise.resolve();
    putOn = () => undefined;
    letGo = () => undefined;
  },
}));

/** A connection that is up as soon as it is negotiated. */
vi.mock("./coming", () => ({
  pause: () => new Promise(() => undefined),
  Coming: class {
    isDropped = false;
    isUp = true;
    lines = {
      peer: { connectionState: "connected", iceConnectionState: "connected", close: () => undefined },
      slotsChannel: {},
      wavesChannel: {},
      stillsChannel: {},
      slots: [],
    };
    constructor(
      _staff: boolean,
      _stream: unknown,
      readonly grant: MediaGrant,
    ) {
      made.push(this as never);
    }
    negotiate() {
      const isRefused = refusing.has(this.grant.relay);
      return Promise.resolve(isRefused ? { type: "refused", code: "unavailable" } : { type: "ok", value: {} });
    }
    ready = () => Promise.resolve();
    drop() {
      this.isDropped = true;
    }
  },
}));

vi.mock("./stats", () => ({ measure: () => Promise.resolve({ bytes: 0, frames: new Map() }) }));

let views: Views;
let version: number;
let asked: ((relay: number) => void)[];
let call: Call;

/** The broker says at which generation the visit's place is. */
function place(relay: number): void {
  version += 1;
  const row = { row: "visit", visit: "v", ticket: "t", relay } as Row & VisitRow;
  views.apply(view(version, [row], { view: "visits" }));
}

/** The broker answers the oldest question that is open. */
async function grants(relay: number): Promise<void> {
  asked.shift()?.(relay);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", { addEventListener: () => undefined, removeEventListener: () => undefined });
  made.length = 0;
  refusing.clear();
  version = 0;
  asked = [];
  views = new Views();
  const act = () =>
    new Promise((done) => {
      asked.push((relay) => {
        const grant = { relay_url: `http://relay-${relay}`, token: "t", participant: "p", companion: false, relay };
        done({ type: "done", outcome: { type: "media", ...grant } });
      });
    });
  const wire = { views, act, you: signal(undefined) } as unknown as Wire;
  call = new Call(wire, { staff: true, video: true });
});

afterEach(() => {
  call.leave();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function inCallAt(relay: number): Promise<void> {
  place(relay);
  void call.join("v");
  await vi.advanceTimersByTimeAsync(0);
  await grants(relay);
  expect(call.state.value.type).toBe("live");
}

describe("a call whose visit is given to another relay", () => {
  it("joins there at once, and says nothing as long as the old connection carries it", async () => {
    await inCallAt(5);
    place(6);
    expect(asked).toHaveLength(1);
    expect(call.state.value.type).toBe("live");
    await grants(6);
    expect(made.map((one) => one.grant?.relay)).toEqual([5, 6]);
    expect(call.state.value.type).toBe("live");
  });

  it("stays where it is for a place that is the same, older, or not known", async () => {
    await inCallAt(5);
    for (const same of [5, 4, 0]) place(same);
    expect(asked).toHaveLength(0);
    expect(made).toHaveLength(1);
  });

  it("asks again when the grant was overtaken on its way", async () => {
    place(5);
    void call.join("v");
    await vi.advanceTimersByTimeAsync(0);
    place(6);
    await grants(5);
    expect(asked).toHaveLength(1);
    await grants(6);
    expect(made.at(-1)?.grant?.relay).toBe(6);
    expect(call.state.value.type).toBe("live");
  });

  it("keeps what it has when the new relay cannot be joined, and tries again", async () => {
    await inCallAt(5);
    refusing.add(6);
    place(6);
    await grants(6);
    expect(made.map((one) => one.isDropped)).toEqual([false, true]);
    expect(call.state.value.type).toBe("live");
    refusing.clear();
    await vi.advanceTimersByTimeAsync(1_000);
    await grants(6);
    expect(made.at(-1)).toMatchObject({ isDropped: false, grant: { relay: 6 } });
  });
});
