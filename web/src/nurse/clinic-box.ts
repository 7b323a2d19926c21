// The clinic's own box, reached by the clinic's network while the broker is away: with a pass that was
// given before, devices go on and come off, and values are seen. When the broker is back the page goes
// back to it.

import { effect, type Signal, signal } from "@preact/signals";
import type { Answer } from "../wire/acts";
import type { Act, Code, DeviceRow, HttpRefusal, LanBox, LanPass, LanSeen } from "../wire/types";
import type { Wire } from "../wire/wire";
import { isOver } from "./order";

/** While the broker is away the box is asked so often. */
export const ASK_EVERY_MS = 1_000;
/** A link that is back by then was never gone: nothing moves under the finger. */
export const GRACE_MS = 1_500;
/** A box that has not answered by then is asked again. */
export const PATIENCE_MS = 4_000;
/** A pass lasts a shift; a fresh one carries whoever came in since and begins its shift anew. */
export const FRESH_EVERY_MS = 10 * 60_000;
/** A press whose answer was lost goes out again so often, with the same key. */
export const TRIES_MAX = 3;
/** A box that has refused is asked again after this long. */
export const REFUSED_MS = 15_000;
/** What the box brought stands for so long beside what the broker brings when it is back. */
export const BESIDE_MS = 60_000;
/** The broker was heard a moment before it was gone: what was measured then may have missed this page. */
export const BEFORE_MS = 15_000;
/** Whom a device is on that is on nobody of this pass: somebody, and not more is told. */
const SOMEBODY = "somebody";

/** Whether the page could go on without the broker, told before it has to. */
export type Readiness =
  /** No box listens on this network, or nobody has asked yet. */
  | "none"
  | "ready"
  /** It does not answer, or this tablet does not trust its certificate. */
  | "unreachable"
  /** The page was loaded before the box was known: it may not speak to it. */
  | "reload";

export type Direct =
  /** The broker is there, or no box is known. */
  | { readonly state: "off" }
  | { readonly state: "searching" }
  /** `reaches`: the box itself has its line, so the doctor has what it measures. */
  | { readonly state: "direct"; readonly reaches: boolean }
  | { readonly state: "refused"; readonly code: Code };

/** What this needs from the world; tests bring their own. */
export interface BoxWorld {
  fetch(url: string, init: RequestInit): Promise<Response>;
  now(): number;
  /** Addresses that the page's own policy has blocked. */
  blocked(): readonly string[];
}

const OFF: Direct = { state: "off" };

export class ClinicBox {
  readonly readiness: Signal<Readiness> = signal("none");
  readonly direct: Signal<Direct> = signal(OFF);
  /** What hangs at the boxes, by device, while they are asked; else nothing. */
  readonly devices: Signal<ReadonlyMap<string, DeviceRow> | undefined> = signal(undefined);

  private pass: LanPass | undefined;
  private readonly seen = new Map<string, LanSeen>();
  /** Whose last answer did not come, or was a refusal: what they said before stands as not present. */
  private readonly lost = new Set<string>();
  private readonly refusals = new Map<string, { readonly code: Code; readonly at: number }>();
  private readonly asking = new Set<string>();
  private asked = "";
  private askedAt = 0;
  private goneAt: number | undefined;
  private backAt: number | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly world: BoxWorld,
  ) {}

  /** Follows the wire until the returned function is called. */
  start(): () => void {
    this.wire.detour = (act, key) => this.carryOut(act, key);
    const ticking = setInterval(() => void this.tick(), ASK_EVERY_MS);
    const following = effect(() => this.follow());
    return () => {
      this.wire.detour = undefined;
      clearInterval(ticking);
      following();
    };
  }

  /** Signed out: the boxes take no more of this page's passes, whether or not the broker hears it. */
  async leave(): Promise<void> {
    await Promise.all(this.boxes.map((box) => this.post(box, "leave", {}).catch(() => undefined)));
    this.pass = undefined;
  }

  private get boxes(): readonly LanBox[] {
    return this.pass?.boxes ?? [];
  }

  /** Runs whenever the link, the patients or the boxes changed. */
  private follow(): void {
    const { wire } = this;
    const link = wire.link.value;
    const you = wire.you.value;
    const patients = [...wire.views.rows("tickets").values()].filter((row) => !isOver(row));
    const isTold = wire.views.known("tickets") && wire.views.known("devices");
    const boxes = [...wire.views.rows("devices").values()].map((row) => row.gateway_present);
    if (link.state === "connected") {
      this.isBack();
      if (you?.role !== "nurse" || you.patient_view || !isTold) return;
      const known = patients.map((row) => row.subject).sort();
      const wanted = JSON.stringify([known, boxes.length > 0, boxes.some(Boolean), you.staff]);
      if (wanted === this.asked) return;
      this.asked = wanted;
      void this.refresh();
      return;
    }
    if (link.state !== "reconnecting" && link.state !== "cut_off") return;
    // What was asked for and not answered is asked for again.
    this.asked = "";
    if (this.goneAt === undefined) {
      this.goneAt = link.since;
      // What the box brought in the cut before stands until this one is over too.
      this.backAt = undefined;
    }
    void this.tick();
  }

  private isBack(): void {
    if (this.goneAt !== undefined) this.backAt = this.world.now();
    this.goneAt = undefined;
    this.seen.clear();
    this.lost.clear();
    this.refusals.clear();
    this.devices.value = undefined;
    if (this.direct.peek() !== OFF) this.direct.value = OFF;
  }

  private async refresh(): Promise<void> {
    this.askedAt = this.world.now();
    const answer = await this.wire.act({ type: "ask_lan_pass" });
    if (answer.type !== "done" || answer.outcome.type !== "lan") return;
    this.pass = answer.outcome;
    await this.look();
  }

  /** Whether every box could be asked, found out while nothing depends on it. */
  private async look(): Promise<void> {
    if (this.boxes.length === 0) {
      this.readiness.value = "none";
      return;
    }
    const found = await Promise.all(this.boxes.map((box) => this.get(box).then(isAnswer, no)));
    const blocked = this.world.blocked();
    const shut = this.boxes.some(({ url }) => blocked.some((one) => one.startsWith(url)));
    this.readiness.value = found.every(Boolean) ? "ready" : shut ? "reload" : "unreachable";
  }

  private async tick(): Promise<void> {
    const now = this.world.now();
    if (this.backAt !== undefined && now - this.backAt >= BESIDE_MS) {
      this.backAt = undefined;
      this.wire.readings.forgetBeside();
    }
    if (this.boxes.length === 0) return;
    if (this.goneAt === undefined) {
      const online = this.wire.link.peek().state === "connected";
      if (online && now - this.askedAt >= FRESH_EVERY_MS) await this.refresh();
      return;
    }
    if (now - this.goneAt < GRACE_MS) return;
    if (this.direct.peek().state === "off") this.direct.value = { state: "searching" };
    const asked = this.boxes.filter(({ gateway }) => {
      const refusal = this.refusals.get(gateway);
      return !refusal || now - refusal.at >= REFUSED_MS;
    });
    await Promise.all(asked.map((box) => this.ask(box)));
  }

  /** Asks one box, unless it still owes an answer. */
  private async ask(box: LanBox): Promise<void> {
    if (this.asking.has(box.gateway)) return;
    this.asking.add(box.gateway);
    try {
      let more = true;
      while (more) {
        const answer = await this.get(box);
        // The broker came back meanwhile.
        if (this.direct.peek().state === "off") return;
        if (!answer.ok) return this.isRefused(box, await codeOf(answer));
        const seen = (await answer.json()) as LanSeen;
        this.take(seen);
        more = seen.more;
      }
    } catch {
      this.isLost(box);
    } finally {
      this.asking.delete(box.gateway);
    }
  }

  private take(seen: LanSeen): void {
    if (this.goneAt === undefined) return;
    this.seen.set(seen.gateway, seen);
    this.lost.delete(seen.gateway);
    this.refusals.delete(seen.gateway);
    // Rows are as old as the box says, by the clock that the page goes by.
    const ahead = this.wire.clock.read() - seen.now;
    const since = this.wire.clock.read() - (this.world.now() - this.goneAt) - BEFORE_MS;
    for (const { subject, row } of seen.rows) {
      const stored = row.stored + ahead;
      // What was measured before is the broker's to show: it knows what is held back.
      if (stored >= since) this.wire.readings.takeBeside(subject, { ...row, stored });
    }
    this.show();
  }

  private show(): void {
    const tickets = [...this.wire.views.rows("tickets").values()];
    const ticketOf = (subject: string | null) =>
      (subject && tickets.find((row) => row.subject === subject)?.ticket) || null;
    const isThere = ({ gateway }: LanSeen) => !this.lost.has(gateway);
    // A device that two boxes hear is shown as the one says that answers.
    const known = [...this.seen.values()].sort((a, b) => Number(isThere(a)) - Number(isThere(b)));
    const rows = known.flatMap((seen) =>
      seen.devices.map(({ status, worn }): [string, DeviceRow] => {
        const bound = status.bound ?? (worn ? SOMEBODY : null);
        const ticket = ticketOf(status.bound);
        return [status.device, { status: { ...status, bound }, ticket, gateway_present: isThere(seen) }];
      }),
    );
    if (known.length > 0) this.devices.value = new Map(rows);
    this.tell(known.filter(isThere));
  }

  /** How the page stands with the boxes, of which these answer. */
  private tell(there: readonly LanSeen[]): void {
    const told = this.direct.peek();
    const [refusal] = this.refusals.values();
    if (there.length === 0) {
      this.direct.value = refusal ? { state: "refused", code: refusal.code } : { state: "searching" };
      return;
    }
    const reaches = there.every((seen) => seen.connected);
    this.wire.readings.besideReaches.value = reaches;
    if (told.state === "direct" && told.reaches === reaches) return;
    if (told.state !== "direct") this.overtake();
    this.direct.value = { state: "direct", reaches };
  }

  /** What went towards the broker must not undo hours later what is done at the box from now on. */
  private overtake(): void {
    this.wire.acts.giveUp(({ act }) => ["attach", "detach", "measure"].includes(act.type));
  }

  private isRefused(box: LanBox, code: Code): void {
    this.lost.add(box.gateway);
    this.refusals.set(box.gateway, { code, at: this.world.now() });
    this.show();
  }

  private isLost(box: LanBox): void {
    if (this.direct.peek().state === "off") return;
    this.lost.add(box.gateway);
    this.refusals.delete(box.gateway);
    this.show();
  }

  /** A verb that the box carries out too, while the page is with it; nothing for every other one. */
  private carryOut(act: Act, key: string): Promise<Answer> | undefined {
    if (this.direct.peek().state !== "direct") return undefined;
    switch (act.type) {
      case "attach": {
        const { device, takes_over } = act;
        const subject = this.wire.views.rows("tickets").get(act.ticket)?.subject;
        if (!subject) return undefined;
        return this.press("bind", device, { key, device, subject, takes_over });
      }
      case "detach":
        return this.press("unbind", act.device, { key, device: act.device });
      case "measure":
        return this.press("measure", act.device, { key, device: act.device });
      default:
        return undefined;
    }
  }

  private async press(path: string, device: string, body: object): Promise<Answer> {
    const hears = ({ gateway }: LanBox) =>
      this.seen.get(gateway)?.devices.some(({ status }) => status.device === device);
    const box =
      this.boxes.find((one) => !this.lost.has(one.gateway) && hears(one)) ?? this.boxes.find(hears);
    if (!box) return refused("device_unknown");
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      try {
        const answer = await this.post(box, path, body);
        if (!answer.ok) return refused(await codeOf(answer));
        await this.ask(box);
        return { type: "done", outcome: { type: "done" } };
      } catch {
        // Nobody answered: the same press again changes nothing twice.
      }
    }
    // It may have heard one of them.
    return refused("outcome_unknown");
  }

  private get(box: LanBox): Promise<Response> {
    const kept = this.seen.get(box.gateway);
    const since = kept ? `?run=${kept.run}&after=${kept.cursor}` : "";
    return this.request(box, `seen${since}`, { method: "GET" });
  }

  private post(box: LanBox, path: string, body: object): Promise<Response> {
    return this.request(box, path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  private request(box: LanBox, path: string, init: RequestInit): Promise<Response> {
    return this.world.fetch(`${box.url}/lan/${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.pass?.pass ?? ""}` },
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }
}

function refused(code: Code): Answer {
  return { type: "refused", code, by: null };
}

function isAnswer(answer: Response): boolean {
  return answer.ok;
}

function no(): boolean {
  return false;
}

async function codeOf(answer: Response): Promise<Code> {
  const refusal = (await answer.json().catch(() => undefined)) as HttpRefusal | undefined;
  return refusal?.code ?? "gateway_away";
}

/** The browser's own. */
export function browserBox(): BoxWorld {
  const blocked: string[] = [];
  document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.blockedURI));
  return { fetch: (url, init) => fetch(url, init), now: () => Date.now(), blocked: () => blocked };
}
