// What the wire needs from the world: a socket, the time, chance, and whether the session is still open.

import { asPage } from "./api";

/** Tests bring their own. */
export interface World {
  open(): WebSocket;
  now(): number;
  random(): number;
  newKey(): string;
  /** Whether the cookie still opens a session; `undefined` when nobody answers. */
  sessionIsOpen(): Promise<boolean | undefined>;
}

export function browser(): World {
  return {
    open: () => new WebSocket(asPage(`${location.origin.replace(/^http/, "ws")}/ws`)),
    now: () => Date.now(),
    random: () => Math.random(),
    newKey: () => {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    },
    sessionIsOpen: async () => {
      try {
        const answer = await fetch(asPage("/api/me"), { cache: "no-store" });
        if (!answer.ok) return answer.status === 401 ? false : undefined;
        return ((await answer.json()) as { type: string }).type === "open";
      } catch {
        return undefined;
      }
    },
  };
}
