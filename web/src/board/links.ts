// Issued links as addresses and as a list for the centre's own SMS. Plain functions.

import type { IssuedLink, Person, TicketRow } from "../wire/types";
import { addressOf } from "../ui/join-link";
import { writeCsv } from "./csv";
import type { Line } from "./people";

type Invitation = Line["invitation"];

/** A verb with many people has to fit into one message (64 KiB) with room to spare. */
export const BATCH_BYTES_MAX = 48 * 1_024;

/** The list cut into parts that fit into a message each, in their order. */
export function batchesOf(people: readonly Invitation[]): Invitation[][] {
  const batches: Invitation[][] = [];
  let bytes = 0;
  for (const one of people) {
    const size = new TextEncoder().encode(JSON.stringify(one)).length + 1;
    const last = batches.at(-1);
    if (last && bytes + size <= BATCH_BYTES_MAX) {
      last.push(one);
      bytes += size;
    } else {
      batches.push([one]);
      bytes = size;
    }
  }
  return batches;
}

/** Who a link is for, as far as this screen may know. */
export function personOf(
  link: IssuedLink,
  tickets: ReadonlyMap<string, TicketRow>,
): Person | undefined {
  return tickets.get(link.ticket)?.person ?? undefined;
}

/** One line a link, with the heading `headings`. */
export function linksCsv(
  links: readonly IssuedLink[],
  tickets: ReadonlyMap<string, TicketRow>,
  origin: string,
  headings: readonly string[],
): string {
  const lines = links.map((link) => {
    const person = personOf(link, tickets);
    return [
      link.code,
      person?.name ?? "",
      person?.call_back ?? "",
      addressOf(link, origin),
      link.spoken,
      new Date(link.expires).toISOString(),
    ];
  });
  return writeCsv([headings, ...lines]);
}
