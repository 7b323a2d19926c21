// The ways round a network that lets no UDP through. Plain functions.

import type { TurnPass } from "../wire/types";

/** The page's own door is tried as well where TURN is behind it: it is known to be open. */
export function iceServers(
  pass: TurnPass | undefined,
  page: { protocol: string; hostname: string; port: string },
): RTCIceServer[] {
  if (!pass) return [];
  const { username, credential } = pass;
  const door =
    pass.same_door && page.protocol === "https:"
      ? [`turns:${page.hostname}:${page.port || "443"}?transport=tcp`]
      : [];
  const urls = [...pass.urls, ...door];
  return urls.length > 0 ? [{ urls, username, credential }] : [];
}
