// What changed at home, in words: the reason of a ticket that nobody asked for.

import type { TicketRow } from "../wire/types";
import { dayAndTime, firedWords, kit as words } from "../words/kit";

/** Oldest first, each with when it was measured. */
export function FiredList({ ticket }: { ticket: Pick<TicketRow, "fired"> }) {
  if (ticket.fired.length === 0) return null;
  return (
    <ul class="fired" aria-label={words("fired_title")} data-fired>
      {ticket.fired.map((fired) => (
        <li key={fired.firing}>
          {firedWords(fired)}{" "}
          <span class="small">
            {words(fired.value === null ? "fired_since" : "fired_at", { time: dayAndTime(fired.at) })}
          </span>
        </li>
      ))}
    </ul>
  );
}
