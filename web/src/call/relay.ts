// The relay's HTTP: join with a token, restart ICE and leave with the session's own secret.

import type { JoinAnswer, RelayCode, RelayRefusal, RestartAnswer } from "../wire/types";

export type RelayReply<T> =
  | { type: "ok"; value: T }
  | { type: "refused"; code: RelayCode }
  | { type: "unreachable" };

/** Longer than a poor link's round trips; shorter than a patient's patience. */
const ANSWER_MS_MAX = 10_000;

async function ask<T>(url: string, method: string, bearer: string, body?: unknown): Promise<RelayReply<T>> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ANSWER_MS_MAX);
  try {
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: giveUp.signal,
      cache: "no-store",
    });
    if (answer.ok) return { type: "ok", value: (await answer.json()) as T };
    const refusal = (await answer.json().catch(() => undefined)) as RelayRefusal | undefined;
    return refusal ? { type: "refused", code: refusal.code } : { type: "unreachable" };
  } catch {
    return { type: "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

/** One session at one relay. */
export interface RelaySession {
  url: string;
  secret: string;
}

export const join = (relay: string, token: string, sdp: string) =>
  ask<JoinAnswer>(`${relay}/relay/sessions`, "POST", token, { sdp });

export const restart = (session: RelaySession, sdp: string) =>
  ask<RestartAnswer>(session.url, "PATCH", session.secret, { sdp });

export function sessionOf(relay: string, answer: JoinAnswer): RelaySession {
  return { url: `${relay}/relay/sessions/${answer.session}`, secret: answer.secret };
}

/** A goodbye without an answer is left alone after so long. */
const GOODBYE_MS_MAX = 2_000;

/**
 * Says goodbye; outlives the page that says it. Resolved when it was answered or given up: closing
 * the connection before would end the session too, and the goodbye would find nothing.
 */
export async function leave(session: RelaySession): Promise<void> {
  const said = fetch(session.url, {
    method: "DELETE",
    headers: { authorization: `Bearer ${session.secret}` },
    keepalive: true,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((over) => {
    timer = setTimeout(over, GOODBYE_MS_MAX);
  });
  await Promise.race([said.catch(() => undefined), enough]);
  clearTimeout(timer);
}
