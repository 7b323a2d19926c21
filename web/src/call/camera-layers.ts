// What of the own picture is sent: a layer that nobody needs only takes room from the voice.

import type { VideoWish, Wanted } from "../wire/types";

const ORDER: readonly VideoWish[] = ["off", "quarter", "half", "full"];
const WISH_BY_RID: Readonly<Record<string, VideoWish>> = { q: "quarter", h: "half", f: "full" };

/** Whether a layer is worth sending; without a word from the relay all are. A camera without layers
 * is on or off. */
export function isNeeded(rid: string | undefined, wanted: Wanted | undefined): boolean {
  const layer = WISH_BY_RID[rid ?? ""];
  if (!wanted || !layer) return wanted?.video !== "off";
  return ORDER.indexOf(layer) <= ORDER.indexOf(wanted.video);
}

/** Switches the camera's layers on and off; a browser that cannot goes on sending all. */
export async function sendOnly(camera: RTCRtpSender, wanted: Wanted | undefined): Promise<void> {
  const parameters = camera.getParameters();
  let changed = false;
  for (const encoding of parameters.encodings ?? []) {
    const active = isNeeded(encoding.rid, wanted);
    if (encoding.active === active) continue;
    encoding.active = active;
    changed = true;
  }
  if (changed) await camera.setParameters(parameters);
}
