import { type Signal, signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Link } from "../wire/link";
import { view } from "../wire/testing";
import type { MediaGrant, Row, VisitRow } from "../wire/types";
import { Views } from "../wire/views";
import type { Wire } from "../wire/wire";
import { Call } from "./call";
import { REJOIN_AFTER_MS, STALL_MS } from "./watchdog";

const { made, refusing, bytesOf, told } = vi.hoisted(() => ({
  told: [] as unknown[],
  bytesOf: { call: 0 },
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
    session = {};
    map = { version: 1, slots: [{ index: 0, participant: "p", role: "doctor", audio: true, video: true }], auscultation: null };
    lines = {
      peer: {
        connectionState: "connected",
        iceConnectionState: "connected",
        close: () => undefined,
        restartIce: () => undefined,
        setLocalDescription: () => Promise.resolve(),
      },
      slotsChannel: { readyState: "open", send: (words: string) => told.push(JSON.parse(words)) },
      voice: { settled: () => Promise.resolve(), answered: () => Promise.resolve() },
      terms: { take: () => undefined, feel: () => undefined, makesRoom: signal(false) },
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

vi.mock("./stats", () => ({ measure: () => Promise.resolve({ bytes: bytesOf.call, frames: new Map() }) }));
vi.mock("./audio-nack", () => ({ describe: () => Promise.resolve("an offer") }));
/** The relay cannot be reached. */
vi.mock("./relay", () => ({
  restart: () => Promise.resolve({ type: "unreachable" }),
  leave: () => Promise.resolve(),
}));

let views: Views;
let version: number;
let asked: ((relay: number) => void)[];
let call: Call;
let link: Signal<Link>;
let doubted: number;
let woken: number;

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
  vi.stubGlobal("MediaStream", class {});
  made.length = 0;
  told.length = 0;
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
  [doubted, woken, bytesOf.call] = [0, 0, 0];
  link = signal<Link>({ state: "connected" });
  const doubt = () => {
    doubted += 1;
  };
  const wake = () => {
    woken += 1;
  };
  const wire = { views, act, you: signal(undefined), link, doubt, wake } as unknown as Wire;
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

  it("says there again how much picture it wants of whom", async () => {
    await inCallAt(5);
    call.want("p", "half");
    call.want("p", "full");
    told.length = 0;
    place(6);
    await grants(6);
    expect(told).toEqual([{ type: "want_video", participant: "p", video: "full" }]);
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

describe("a call in which nothing is heard any more", () => {
  /** The watchdog looks four times a second. */
  const LOOK_MS = 250;

  it("says that it is mended, then that it is gone, and keeps its connection while the broker is silent too", async () => {
    await inCallAt(5);
    await vi.advanceTimersByTimeAsync(STALL_MS + LOOK_MS);
    expect(call.state.value.type).toBe("restarting");
    expect(doubted).toBeGreaterThan(0);
    link.value = { state: "cut_off", since: 0 };
    await vi.advanceTimersByTimeAsync(REJOIN_AFTER_MS + 10_000);
    expect(call.state.value).toMatchObject({ type: "gone", code: undefined });
    expect(made).toHaveLength(1);
  });

  it("is live again by itself when the old connection comes back first, and wakes the screen's own link", async () => {
    await inCallAt(5);
    link.value = { state: "cut_off", since: 0 };
    await vi.advanceTimersByTimeAsync(REJOIN_AFTER_MS + 5_000);
    expect(call.state.value.type).toBe("gone");
    bytesOf.call = 1_000;
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    expect(call.state.value.type).toBe("live");
    expect(woken).toBe(1);
    expect(made).toHaveLength(1);
  });

  it("joins anew as soon as the broker is heard, once, with the old connection kept until then", async () => {
    await inCallAt(5);
    link.value = { state: "cut_off", since: 0 };
    await vi.advanceTimersByTimeAsync(REJOIN_AFTER_MS + 5_000);
    asked.length = 0;
    link.value = { state: "connected" };
    await vi.advanceTimersByTimeAsync(LOOK_MS * 5);
    expect(asked).toHaveLength(1);
    expect(made.map((one) => one.isDropped)).toEqual([false]);
    await grants(5);
    expect(made).toHaveLength(2);
    expect(call.state.value.type).toBe("live");
  });

  it("leaves a new connection out when the old one came back meanwhile", async () => {
    await inCallAt(5);
    link.value = { state: "cut_off", since: 0 };
    await vi.advanceTimersByTimeAsync(REJOIN_AFTER_MS + 5_000);
    asked.length = 0;
    link.value = { state: "connected" };
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    bytesOf.call = 1_000;
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    await grants(5);
    expect(made).toHaveLength(1);
    expect(call.state.value.type).toBe("live");
  });
});
