// What a scanned or typed code names: a patient by the ticket's code, a device by its id. Pure.

import type { DeviceRow, TicketRow } from "../wire/types";

export type Scanned =
  | { readonly is: "device"; readonly device: string }
  | { readonly is: "ticket"; readonly ticket: string }
  | { readonly is: "unknown" };

/** `K-27` from ｋ２７, k-27 or K 27: as the broker writes it; anything else as it was typed. */
export function ticketCode(text: string): string {
  const plain = text.normalize("NFKC").trim().toUpperCase();
  const found = /^([A-Z]+)[\s\-‐‑–—−ー]*(\d+)$/.exec(plain);
  return found ? `${found[1]}-${found[2]}` : plain;
}

/** Labels print an address with colons, dashes or nothing between, in large or small letters. */
function bare(id: string): string {
  return id.normalize("NFKC").trim().toLowerCase().replace(/[\s:\-_.]/g, "");
}

/** The device or the patient of this site that a code names. */
export function whatIs(
  text: string,
  devices: readonly DeviceRow[],
  tickets: readonly TicketRow[],
): Scanned {
  const device = devices.find(({ status }) => bare(status.device) === bare(text));
  if (device) return { is: "device", device: device.status.device };
  const code = ticketCode(text);
  const ticket = tickets.find((row) => row.code === code);
  return ticket ? { is: "ticket", ticket: ticket.ticket } : { is: "unknown" };
}
