import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BESIDE_ROWS_MAX } from "../wire/readings";
import { harness, reading } from "../wire/testing";
import { rowHash, sumHash } from "../wire/hash";
import type { DeviceRow, LanSeen, Row, TicketRow } from "../wire/types";
import { BESIDE_MS, type BoxWorld, ClinicBox, GRACE_MS, REFUSED_MS } from "./clinic-box";

const URL = "https://192.0.2.7:8443";
const RUN = "0102030405060708";
/** The box's clock is a minute ahead. */
const AHEAD_MS = 60_000;

const ticket = {
  ticket: "t1",
  subject: "s1",
  code: "K-27",
  state: "waiting",
  row: "ticket",
} as unknown as Row & TicketRow;

const cuff: DeviceRow["status"] = {
  device: "cuff",
  kind: "cuff",
  model: "C",
  connected: true,
  battery_percent: null,
  bound: null,
  measuring: false,
  startable: true,
  last_frame_at: null,
  signal_dbm: null,
  clock_off: null,
  trouble: null,
};

function seen(parts: Partial<LanSeen> = {}): LanSeen {
  const devices = [{ status: { ...cuff, bound: "s1" }, worn: true }];
  const now = Date.now() + AHEAD_MS;
  return { gateway: "g1", run: RUN, now, connected: false, waiting: 3, devices, rows: [], cursor: 1, more: false, ...parts };
}

/** What a box answers to each request, and what it was asked. */
function boxWorld() {
  const asked: { url: string; init: RequestInit }[] = [];
  const blocked: string[] = [];
  const told = { answer: (_url: string): Response | Error => Response.json(seen()) };
  const world: BoxWorld = {
    fetch: async (url, init) => {
      asked.push({ url, init });
      const answer = told.answer(url);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    now: () => Date.now(),
    blocked: () => blocked,
  };
  return { world, asked, blocked, told };
}

async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A nurse's page with a pass, connected to the broker. */
async function page(boxes = [{ gateway: "g1", url: URL, fingerprint: null as string | null }]) {
  const { wire, last } = harness();
  const box = boxWorld();
  const clinicBox = new ClinicBox(wire, box.world);
  const stop = clinicBox.start();
  wire.start();
  const greet = () => {
    last().welcome(Date.now(), { staff: "n1", site: "site" });
    last().say({ type: "view", view: "tickets", epoch: 1, version: 1, hash: sumHash([rowHash(ticket)]), whole: true, upsert: [ticket], remove: [] });
    last().say({ type: "view", view: "devices", epoch: 1, version: 1, hash: 0, whole: true, upsert: [], remove: [] });
  };
  const givePass = async () => {
    const wish = last().sentOf("do").filter(({ act }) => act.type === "ask_lan_pass").at(-1);
    if (!wish) throw new Error("no pass was asked for");
    last().say({ type: "done", key: wish.key, outcome: { type: "lan", pass: "pass", until: Date.now() + 1_000_000, boxes } });
    await settle();
  };
  greet();
  await givePass();
  const cut = async () => {
    last().tear();
    await vi.advanceTimersByTimeAsync(GRACE_MS + 500);
  };
  /** The broker is there for so long. */
  const stay = async (forMs: number) => {
    for (let past = 0; past < forMs; past += 1_000) {
      last().say({ type: "ping", now: Date.now() });
      await vi.advanceTimersByTimeAsync(1_000);
    }
  };
  const end = () => {
    stop();
    wire.stop();
  };
  return { wire, clinicBox, box, last, cut, greet, stay, givePass, stop: end };
}

describe("the clinic's box while the broker is away", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it("is found out beforehand, and not asked while the broker is there", async () => {
    const { clinicBox, box, wire, stop } = await page();
    expect(clinicBox.readiness.value).toBe("ready");
    expect(box.asked).toHaveLength(1);
    expect(new Headers(box.asked[0]?.init.headers).get("authorization")).toBe("Bearer pass");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(box.asked).toHaveLength(1);
    expect(clinicBox.devices.value).toBeUndefined();
    expect(wire.acts.pending.value).toEqual([]);
    stop();
  });

  it("a link that is back at once moves nothing", async () => {
    const { clinicBox, box, last, greet, stop } = await page();
    last().tear();
    await vi.advanceTimersByTimeAsync(GRACE_MS - 500);
    expect(clinicBox.direct.value).toEqual({ state: "off" });
    expect(box.asked).toHaveLength(1);
    greet();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(clinicBox.devices.value).toBeUndefined();
    stop();
  });

  it("shows devices and values as soon as the link is gone, each as old as the box says", async () => {
    const { wire, clinicBox, box, cut, stop } = await page();
    wire.watchReadings("s1");
    const measured = Date.now();
    const row = reading(1, { at: measured + AHEAD_MS, numbers: { systolic: "128", diastolic: "79" } });
    box.told.answer = () => Response.json(seen({ rows: [{ subject: "s1", row }] }));
    await cut();
    expect(clinicBox.direct.value).toEqual({ state: "direct", reaches: false });
    expect(clinicBox.devices.value?.get("cuff")?.ticket).toBe("t1");
    const [shown, ...more] = wire.readings.rows("s1");
    expect(more).toEqual([]);
    expect(shown?.stored).toBe(measured);
    expect(shown && wire.readings.isBeside(shown)).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(box.asked.at(-1)?.url).toBe(`${URL}/lan/seen?run=${RUN}&after=1`);
    expect(wire.readings.rows("s1")).toHaveLength(1);
    stop();
  });

  it("does not say that the doctor sees nothing when only the tablet is cut off", async () => {
    const { clinicBox, box, wire, cut, stop } = await page();
    box.told.answer = () => Response.json(seen({ connected: true }));
    await cut();
    expect(clinicBox.direct.value).toEqual({ state: "direct", reaches: true });
    expect(wire.readings.besideReaches.value).toBe(true);
    box.told.answer = () => Response.json(seen({ connected: false }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(clinicBox.direct.value).toEqual({ state: "direct", reaches: false });
    stop();
  });

  it("brings nothing from before the cut: the broker knows what of it is held back", async () => {
    const { wire, box, cut, stop } = await page();
    wire.watchReadings("s1");
    const row = reading(1, { at: Date.now() + AHEAD_MS - 60_000, numbers: { systolic: "128" } });
    box.told.answer = () => Response.json(seen({ rows: [{ subject: "s1", row }] }));
    await cut();
    expect(wire.readings.rows("s1")).toEqual([]);
    stop();
  });

  it("a press goes to the box, and what went towards the broker before does not undo it later", async () => {
    const { wire, box, last, cut, greet, stop } = await page();
    const first = wire.act({ type: "attach", ticket: "t2", device: "cuff", takes_over: true });
    await cut();
    box.told.answer = (url) => (url.includes("/seen") ? Response.json(seen()) : new Response(null, { status: 204 }));
    const second = wire.act({ type: "attach", ticket: "t1", device: "cuff", takes_over: true });
    expect(await first).toEqual({ type: "refused", code: "outcome_unknown", by: null });
    expect(await second).toEqual({ type: "done", outcome: { type: "done" } });
    const sent = box.asked.find(({ url }) => url.endsWith("/lan/bind"));
    expect(JSON.parse(String(sent?.init.body))).toMatchObject({ device: "cuff", subject: "s1", takes_over: true });
    await vi.advanceTimersByTimeAsync(1_000);
    greet();
    expect(last().sentOf("do").filter(({ act }) => act.type === "attach")).toEqual([]);
    stop();
  });

  it("a lost answer is asked for with the same key, and a refusal is told by its code", async () => {
    const { wire, box, cut, stop } = await page();
    await cut();
    let tries = 0;
    box.told.answer = (url) => {
      if (url.includes("/seen")) return Response.json(seen());
      tries += 1;
      return tries === 1 ? new Error("lost") : Response.json({ code: "device_elsewhere", message: "" }, { status: 409 });
    };
    const answer = await wire.act({ type: "attach", ticket: "t1", device: "cuff", takes_over: false });
    expect(answer).toEqual({ type: "refused", code: "device_elsewhere", by: null });
    const keys = box.asked.filter(({ url }) => url.endsWith("/bind")).map(({ init }) => JSON.parse(String(init.body)).key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    stop();
  });

  it("the page goes back to the broker, and nothing stands twice", async () => {
    const { wire, clinicBox, box, last, cut, greet, stop } = await page();
    wire.watchReadings("s1");
    const row = reading(1, { at: Date.now() + AHEAD_MS, numbers: { systolic: "128" } });
    box.told.answer = () => Response.json(seen({ rows: [{ subject: "s1", row }] }));
    await cut();
    await vi.advanceTimersByTimeAsync(1_000);
    greet();
    expect(clinicBox.direct.value).toEqual({ state: "off" });
    expect(clinicBox.devices.value).toBeUndefined();
    expect(wire.readings.rows("s1")).toHaveLength(1);
    last().say({ type: "readings", subject: "s1", whole: false, rows: [{ ...row, seq: 41 }] });
    expect(wire.readings.rows("s1").map(({ seq }) => seq)).toEqual([41]);
    await vi.advanceTimersByTimeAsync(BESIDE_MS + 1_000);
    expect(wire.readings.rows("s1")).toHaveLength(1);
    stop();
  });

  it("what the broker holds back, the box's copy does not show", async () => {
    const { wire, box, last, cut, greet, stop } = await page();
    wire.watchReadings("s1");
    const row = reading(1, { at: Date.now() + AHEAD_MS, numbers: { systolic: "128" } });
    box.told.answer = () => Response.json(seen({ rows: [{ subject: "s1", row }] }));
    await cut();
    await vi.advanceTimersByTimeAsync(1_000);
    greet();
    last().say({ type: "readings", subject: "s1", whole: true, rows: [] });
    expect(wire.readings.rows("s1")).toEqual([]);
    stop();
  });

  it("a box that refuses is asked seldom, and one that is gone is looked for", async () => {
    const { clinicBox, box, cut, stop } = await page();
    box.told.answer = () => Response.json({ code: "pass_ended", message: "" }, { status: 401 });
    await cut();
    expect(clinicBox.direct.value).toEqual({ state: "refused", code: "pass_ended" });
    const before = box.asked.length;
    await vi.advanceTimersByTimeAsync(REFUSED_MS - 1_000);
    expect(box.asked).toHaveLength(before);
    box.told.answer = () => new Error("nobody there");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(clinicBox.direct.value).toEqual({ state: "searching" });
    expect(clinicBox.devices.value).toBeUndefined();
    stop();
  });

  it("keeps what a second cut brings until that one is over too", async () => {
    const { wire, box, cut, greet, stay, stop } = await page();
    wire.watchReadings("s1");
    await cut();
    greet();
    await stay(BESIDE_MS / 2);
    await cut();
    const row = reading(1, { at: Date.now() + AHEAD_MS, numbers: { systolic: "128" } });
    box.told.answer = () => Response.json(seen({ rows: [{ subject: "s1", row }] }));
    await vi.advanceTimersByTimeAsync(2_000);
    box.told.answer = () => Response.json(seen());
    await vi.advanceTimersByTimeAsync(2 * BESIDE_MS);
    expect(wire.readings.rows("s1")).toHaveLength(1);
    greet();
    await stay(BESIDE_MS + 1_000);
    expect(wire.readings.rows("s1")).toEqual([]);
    stop();
  });

  it("an oximeter that gives a value a second does not push out the cuff's", async () => {
    const { wire, stop } = await page();
    wire.watchReadings("s1");
    wire.readings.takeBeside("s1", reading(1, { numbers: { systolic: "128" } }));
    for (let seq = 2; seq < BESIDE_ROWS_MAX + 12; seq += 1) {
      wire.readings.takeBeside("s1", reading(seq, { kind: "oximeter", numbers: { spo2: "97" } }));
    }
    const rows = wire.readings.rows("s1");
    expect(rows[0]?.outcome.device.kind).toBe("cuff");
    expect(rows).toHaveLength(BESIDE_ROWS_MAX + 1);
    stop();
  });

  it("no press from before the cut is sent when the broker is back, whatever it was for", async () => {
    const { wire, last, cut, greet, stop } = await page();
    const sent = wire.act({ type: "measure", device: "cuff" });
    last().tear();
    const unsent = wire.act({ type: "detach", device: "oximeter" });
    await cut();
    expect(await sent).toEqual({ type: "refused", code: "outcome_unknown", by: null });
    expect(await unsent).toEqual({ type: "not_sent" });
    greet();
    expect(last().sentOf("do").filter(({ act }) => act.type !== "ask_lan_pass")).toEqual([]);
    stop();
  });

  it("a box that refuses does not shut off its neighbour", async () => {
    const other = "https://192.0.2.8:8443";
    const boxes = [URL, other].map((url, at) => ({ gateway: `g${at + 1}`, url, fingerprint: null }));
    const { clinicBox, box, cut, stop } = await page(boxes);
    box.told.answer = (url) =>
      url.startsWith(other)
        ? Response.json({ code: "pass_ended", message: "" }, { status: 401 })
        : Response.json(seen());
    await cut();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(clinicBox.direct.value).toEqual({ state: "direct", reaches: false });
    expect(clinicBox.devices.value?.get("cuff")?.gateway_present).toBe(true);
    const asked = (url: string) => box.asked.filter((one) => one.url.startsWith(url)).length;
    expect(asked(URL)).toBeGreaterThan(3);
    expect(asked(other)).toBe(2);
    stop();
  });

  it("a lost answer leaves the devices as the box last said, as not present", async () => {
    const { clinicBox, box, cut, stop } = await page();
    await cut();
    box.told.answer = () => new Error("lost");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(clinicBox.direct.value).toEqual({ state: "searching" });
    const left = clinicBox.devices.value?.get("cuff");
    expect([left?.ticket, left?.gateway_present]).toEqual(["t1", false]);
    box.told.answer = () => Response.json(seen());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(clinicBox.devices.value?.get("cuff")?.gateway_present).toBe(true);
    stop();
  });

  it("a press that nobody answers may have been done, and is not told as refused", async () => {
    const { wire, box, cut, stop } = await page();
    await cut();
    box.told.answer = (url) => (url.includes("/seen") ? Response.json(seen()) : new Error("lost"));
    const answer = await wire.act({ type: "detach", device: "cuff" });
    expect(answer).toEqual({ type: "refused", code: "outcome_unknown", by: null });
    stop();
  });

  it("a page that was loaded before the box was known says that it has to be loaded again", async () => {
    const { clinicBox, box, last, givePass, stop } = await page();
    box.blocked.push(URL);
    box.told.answer = () => new Error("blocked");
    const other = { ...ticket, ticket: "t9", subject: "s9" };
    last().say({ type: "view", view: "tickets", epoch: 1, version: 2, hash: sumHash([rowHash(ticket), rowHash(other)]), whole: false, upsert: [other], remove: [] });
    await givePass();
    expect(clinicBox.readiness.value).toBe("reload");
    stop();
  });
});
