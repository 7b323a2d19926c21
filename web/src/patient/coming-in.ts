// How a patient comes in: by the link's secret, a number from the telephone, or a number from
// another browser. Nothing is used up before the button is pressed.

import { type Signal, signal } from "@preact/signals";
import * as api from "../wire/api";
import type { Code, Entry } from "../wire/types";

const ASK_AGAIN_MS = 3_000;

export type At =
  /** Asking whether this browser is in already. */
  | "looking"
  /** The first screen. */
  | "outside"
  /** A second device: the clinic was asked. */
  | "pending"
  | "in";

export type Trouble = Code | "unreachable";
export type NumberKind = "spoken" | "transfer";

export class ComingIn {
  readonly at: Signal<At> = signal<At>("looking");
  readonly busy = signal(false);
  readonly trouble: Signal<Trouble | undefined> = signal(undefined);
  /** A link was opened: the button alone is enough. */
  readonly hasLink = signal(false);
  // Only here, never in storage, and forgotten once used.
  private secret = "";
  private transferred = "";
  private again: ReturnType<typeof setTimeout> | undefined;

  /** Reads the address once, clears it, and looks whether this browser is in already. */
  async look(): Promise<void> {
    const fragment = api.takeFragment();
    const handed = /^t=(\d{8})$/.exec(fragment);
    if (handed) this.transferred = handed[1] ?? "";
    else this.secret = fragment;
    this.hasLink.value = fragment !== "";
    const reply = await api.me();
    if (reply.type === "ok") return this.follow(reply.value);
    // A session that died says why; with a fresh link in hand that is of no interest.
    if (reply.type === "refused" && !fragment) this.trouble.value = reply.code;
    this.at.value = "outside";
  }

  /** The button. */
  async join(): Promise<void> {
    const reply = await this.ask(() =>
      this.transferred ? api.joinByTransfer(this.transferred) : api.joinByLink(this.secret),
    );
    // A lost answer may be asked for again; a given one ends the secret's use.
    if (reply.type === "ok") {
      this.secret = "";
      this.transferred = "";
    }
  }

  async joinByNumber(kind: NumberKind, digits: string): Promise<void> {
    await this.ask(() =>
      kind === "spoken" ? api.joinBySpoken(digits) : api.joinByTransfer(digits),
    );
  }

  private async ask(request: () => Promise<api.Reply<Entry>>): Promise<api.Reply<Entry>> {
    this.busy.value = true;
    this.trouble.value = undefined;
    const reply = await request();
    this.busy.value = false;
    switch (reply.type) {
      case "ok":
        this.follow(reply.value);
        break;
      case "refused":
        // The clinic was asked to allow this device: that is a wait, not an end.
        if (reply.code === "link_elsewhere") this.follow({ type: "pending" });
        else this.trouble.value = reply.code;
        break;
      case "unreachable":
        this.trouble.value = "unreachable";
        break;
    }
    return reply;
  }

  private follow(entry: Entry): void {
    switch (entry.type) {
      case "open":
        if (entry.role !== "patient") {
          this.at.value = "outside";
          return;
        }
        api.forgetBrowser();
        this.at.value = "in";
        return;
      case "pending":
        this.at.value = "pending";
        clearTimeout(this.again);
        this.again = setTimeout(() => void this.askAgain(), ASK_AGAIN_MS);
        return;
      case "outside":
        this.at.value = "outside";
        return;
    }
  }

  private async askAgain(): Promise<void> {
    const reply = await api.me();
    this.follow(reply.type === "ok" ? reply.value : { type: "pending" });
  }
}
