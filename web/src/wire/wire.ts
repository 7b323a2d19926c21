// The one WebSocket of a screen: says hello with what it still has, keeps views, readings and chat
// in step, carries verbs until they are answered, and comes back by itself.

import { type Signal, signal } from "@preact/signals";
import { Acts, type Answer } from "./acts";
import { Chats } from "./chat";
import { ServerClock } from "./clock";
import {
  backoffMs,
  CUT_AFTER_MS,
  DOUBTED_HEARTBEATS,
  isPassing,
  type Link,
  OPEN_WITHIN_MS,
  SILENT_HEARTBEATS,
} from "./link";
import { Readings } from "./readings";
import type { Act, Code, FromScreen, Have, ToScreen, You } from "./types";
import { Views } from "./views";
import { browser, type World } from "./world";

/** The protocol spoken here. */
export const VERSION = 1;
const HEARTBEAT_MS_UNTIL_TOLD = 5_000;
const TICK_MS = 1_000;
/** After so many attempts without a hello the session itself is asked for. */
const ATTEMPTS_BEFORE_ASKING = 2;

function isSame(one: You | undefined, other: You): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export class Wire {
  readonly link: Signal<Link> = signal<Link>({ state: "connecting" });
  readonly you: Signal<You | undefined> = signal(undefined);
  readonly views = new Views();
  readonly readings = new Readings();
  readonly chats = new Chats();
  readonly acts: Acts;
  readonly clock: ServerClock;

  /** Another way for verbs, taken while this one is cut: it answers, or leaves the verb to the wire. */
  detour: ((act: Act, key: string) => Promise<Answer> | undefined) | undefined;

  private socket: WebSocket | undefined;
  private welcomed = false;
  private opening = false;
  private triedAt = 0;
  private stopped = false;
  private attempts = 0;
  private heardAt: number;
  private goneAt: number | undefined;
  private heartbeatMs = HEARTBEAT_MS_UNTIL_TOLD;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private readonly wakers: (() => void)[] = [];

  constructor(private readonly world: World = browser()) {
    this.acts = new Acts(world.now, world.newKey);
    this.clock = new ServerClock(world.now);
    this.heardAt = world.now();
  }

  /** Connects and stays connected until `stop` or a goodbye. */
  start(): void {
    this.stopped = false;
    this.ticking ??= setInterval(() => this.tick(), TICK_MS);
    this.listenForWaking();
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    clearInterval(this.ticking);
    this.ticking = undefined;
    for (const unlisten of this.wakers.splice(0)) unlisten();
    this.letGo();
  }

  /**
   * Carries a verb out, once, however often the link breaks. `mayWait`: keep it for the next link
   * even if that takes long (else it is given up after 20 s and answered `not_sent`).
   */
  act(act: Act, options: { mayWait?: boolean } = {}): Promise<Answer> {
    const over = this.link.peek();
    if (over.state === "bye") {
      return Promise.resolve({ type: "refused", code: over.code, by: null });
    }
    const other = this.detour?.(act, this.world.newKey());
    if (other) return other;
    return this.acts.add(act, options.mayWait ?? false, this.sendAct);
  }

  /** Lets a subject's readings flow to this screen until the returned function is called. */
  watchReadings(subject: string): () => void {
    if (this.readings.watch(subject) && this.welcomed) this.askReadings(subject);
    return () => {
      const flowed = this.readings.newest();
      this.readings.unwatch(subject);
      const newest = this.readings.newest();
      if (newest && newest !== flowed && this.welcomed) this.askReadings(newest);
    };
  }

  /** Lets a visit's chat flow to this screen until the returned function is called. */
  watchChat(visit: string): () => void {
    if (this.chats.watch(visit)) this.askChat(visit);
    return () => {
      const flowed = this.chats.newest();
      this.chats.unwatch(visit);
      const newest = this.chats.newest();
      if (newest && newest !== flowed) this.askChat(newest);
    };
  }

  private readonly sendAct = (key: string, act: Act): boolean =>
    this.welcomed && this.send({ type: "do", key, act });

  private send(message: FromScreen): boolean {
    if (this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private askReadings(subject: string): void {
    const after = this.readings.cursor(subject);
    // Not worth keeping: after a reconnection it is asked anew, from the cursor of then.
    this.sendAct(this.world.newKey(), { type: "watch_readings", subject, after });
  }

  private askChat(visit: string): void {
    if (!this.welcomed) return;
    this.send({ type: "watch_chat", visit, after: this.chats.cursor(visit) });
  }

  private connect(): void {
    if (this.stopped || this.socket) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.attempts += 1;
    this.heardAt = this.world.now();
    this.triedAt = this.heardAt;
    this.opening = true;
    const socket = this.world.open();
    this.socket = socket;
    socket.onopen = () => {
      this.opening = false;
      const have: Have[] = this.views.have();
      this.send({ type: "hello", version: VERSION, have });
    };
    socket.onmessage = (event: MessageEvent) => {
      if (this.socket === socket) this.take(String(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  private take(text: string): void {
    this.heardAt = this.world.now();
    const message = JSON.parse(text) as ToScreen;
    switch (message.type) {
      case "welcome":
        return this.welcome(message);
      case "view":
        if (this.views.apply(message) === "resync") this.send({ type: "resync", view: message.view });
        return;
      case "unchanged":
        // It was forgotten meanwhile, because somebody else sits here now.
        if (!this.views.known(message.view)) this.send({ type: "resync", view: message.view });
        return;
      case "readings":
        return this.readings.take(message.subject, message.rows, message.whole);
      case "chat":
        return this.chats.take(message.visit, message.lines);
      case "done":
        return this.acts.settle(message.key, { type: "done", outcome: message.outcome });
      case "refused":
        return this.acts.settle(message.key, {
          type: "refused",
          code: message.code,
          by: message.by,
        });
      case "ping":
        this.clock.heard(message.now);
        this.send({ type: "pong" });
        return;
      case "bye":
        return this.bye(message.code);
    }
  }

  private welcome(message: Extract<ToScreen, { type: "welcome" }>): void {
    if (message.version !== VERSION) return this.bye("version_unknown");
    this.welcomed = true;
    this.attempts = 0;
    this.goneAt = undefined;
    this.heartbeatMs = message.heartbeat_ms;
    this.clock.heard(message.now);
    // What was shown to one is not for the next: a tablet that turned round forgets.
    if (this.you.peek() && !isSame(this.you.peek(), message.you)) this.views.forget();
    this.you.value = message.you;
    this.link.value = { state: "connected" };
    this.acts.resend(this.sendAct);
    const [subject, visit] = [this.readings.newest(), this.chats.newest()];
    if (subject) this.askReadings(subject);
    if (visit) this.askChat(visit);
  }

  private bye(code: Code): void {
    if (isPassing(code)) return this.lost();
    this.stop();
    this.acts.abandon(code);
    this.link.value = { state: "bye", code };
  }

  /** Forgets the socket without a word of its own: its late events mean nothing any more. */
  private letGo(): void {
    const socket = this.socket;
    this.socket = undefined;
    this.welcomed = false;
    socket?.close();
  }

  private lost(): void {
    this.letGo();
    if (this.stopped) return;
    this.goneAt ??= this.heardAt;
    this.showGone();
    if (this.attempts > 0 && this.attempts % ATTEMPTS_BEFORE_ASKING === 0) void this.askSession();
    clearTimeout(this.retry);
    const waited = this.attempts > 0 ? this.world.now() - this.triedAt : 0;
    const pause = backoffMs(this.attempts, this.world.random(), waited);
    this.retry = setTimeout(() => this.connect(), pause);
  }

  private showGone(): void {
    if (this.goneAt === undefined) return;
    const long = this.world.now() - this.goneAt >= CUT_AFTER_MS;
    const state = long ? "cut_off" : "reconnecting";
    const shown = this.link.peek();
    if (shown.state !== state) this.link.value = { state, since: this.goneAt };
  }

  private async askSession(): Promise<void> {
    const open = await this.world.sessionIsOpen();
    if (open === false && !this.stopped && !this.welcomed) this.bye("sign_in_first");
  }

  private tick(): void {
    this.clock.tick();
    this.acts.expire();
    this.showGone();
    const silent = this.world.now() - this.heardAt;
    const patience = this.opening ? OPEN_WITHIN_MS : this.heartbeatMs * SILENT_HEARTBEATS;
    if (this.socket && silent > patience) this.lost();
  }

  /** Something else on the same way has gone silent: this link has to prove itself sooner. */
  doubt(): void {
    const silent = this.world.now() - this.heardAt;
    if (this.welcomed && silent > this.heartbeatMs * DOUBTED_HEARTBEATS) this.lost();
  }

  /** The phone woke up, found a network, hears a call again: do not wait for the next pause to end. */
  wake(): void {
    if (this.stopped) return;
    const silent = this.world.now() - this.heardAt;
    if (this.socket && this.welcomed && silent <= this.heartbeatMs * 1.5) return;
    this.attempts = 0;
    if (this.socket) this.lost();
    this.connect();
  }

  private listenForWaking(): void {
    if (typeof window === "undefined" || this.wakers.length > 0) return;
    const online = () => this.wake();
    const visible = () => {
      if (document.visibilityState === "visible") this.wake();
    };
    window.addEventListener("online", online);
    window.addEventListener("pageshow", online);
    document.addEventListener("visibilitychange", visible);
    this.wakers.push(
      () => window.removeEventListener("online", online),
      () => window.removeEventListener("pageshow", online),
      () => document.removeEventListener("visibilitychange", visible),
    );
  }
}
