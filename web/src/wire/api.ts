// The few HTTP requests that make or end a session.

import type {
  Code,
  Entry,
  HttpRefusal,
  JoinByCode,
  JoinByLink,
  SignIn,
  SignInOnce,
  TransferCode,
} from "./types";

export type Reply<T> =
  | { type: "ok"; value: T }
  | { type: "refused"; code: Code }
  /** Nobody answered. */
  | { type: "unreachable" };

/** One browser may hold one session a page; the broker is told which page asks. */
export function asPage(path: string): string {
  const page = location.pathname.split("/")[1] || "p";
  return `${path}?as=${page === "p" ? "patient" : page}`;
}

async function ask<T>(path: string, init: RequestInit): Promise<Reply<T>> {
  try {
    const answer = await fetch(asPage(path), { cache: "no-store", ...init });
    if (answer.ok) {
      const text = await answer.text();
      return { type: "ok", value: (text ? JSON.parse(text) : undefined) as T };
    }
    const refusal = await refusalOf(answer);
    return refusal ? { type: "refused", code: refusal.code } : { type: "unreachable" };
  } catch {
    return { type: "unreachable" };
  }
}

/** Between this page and the broker may stand a proxy that speaks no protocol of ours. */
export async function refusalOf(answer: Response): Promise<HttpRefusal | undefined> {
  return (await answer.json().catch(() => undefined)) as HttpRefusal | undefined;
}

function post<T, B = Record<string, never>>(path: string, body: B): Promise<Reply<T>> {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

export const me = () => ask<Entry>("/api/me", {});
export const joinByLink = (secret: string) =>
  post<Entry, JoinByLink>("/api/join", { secret, browser: browser() });
export const joinBySpoken = (code: string) =>
  post<Entry, JoinByCode>("/api/join/spoken", { code, browser: browser() });
export const transfer = () => post<TransferCode>("/api/transfer", {});
export const joinByTransfer = (code: string) =>
  post<Entry, JoinByCode>("/api/transfer/use", { code, browser: browser() });
export const signIn = (account: string, password: string, totp: string) =>
  post<Entry, SignIn>("/api/sign-in", { account, password, totp });
export const signInOnce = (secret: string) =>
  post<Entry, SignInOnce>("/api/sign-in/once", { secret });
export const signOut = () => post<void>("/api/sign-out", {});

const BROWSER = "minato-browser";
let drawn: string | undefined;

/**
 * This browser's name while it comes in: if the answer was lost on the way, the same browser may
 * ask again, and no other. It is forgotten with the tab.
 */
function browser(): string {
  try {
    drawn ??= sessionStorage.getItem(BROWSER) ?? undefined;
  } catch {
    // Storage can be forbidden: then the name lasts as long as the page.
  }
  if (drawn) return drawn;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  drawn = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    sessionStorage.setItem(BROWSER, drawn);
  } catch {
    // As above.
  }
  return drawn;
}

/** The way in is through: the name is of no more use. */
export function forgetBrowser(): void {
  drawn = undefined;
  try {
    sessionStorage.removeItem(BROWSER);
  } catch {
    // There was nothing to forget.
  }
}

/** Reads what stands behind the `#` and takes it out of the address bar and the history. */
export function takeFragment(): string {
  const fragment = location.hash.slice(1);
  if (fragment) history.replaceState(null, "", location.pathname + location.search);
  return fragment;
}
