// Telephoning somebody who did not answer, and writing down what came of it.

import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import type { Act, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { t } from "../words/board";

type Outcome = Extract<Act, { type: "record_contact" }>["outcome"];
const OUTCOMES: readonly Outcome[] = ["ready", "not_reached", "help_sent", "gives_up"];

export function Contact({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const [press, busy] = usePress(wire);
  return (
    <div class="contact">
      {ticket.person && <Telephone number={ticket.person.call_back} />}
      {OUTCOMES.map((outcome) => (
        <Button
          key={outcome}
          size="slim"
          disabled={busy}
          data-outcome={outcome}
          onClick={() => press({ type: "record_contact", ticket: ticket.ticket, outcome })}
        >
          {t(`contact_${outcome}`)}
        </Button>
      ))}
    </div>
  );
}

export function Telephone({ number }: { number: string }) {
  if (!number) return <span class="soft">{common("unknown")}</span>;
  return (
    <a class="telephone" href={`tel:${number.replace(/[^\d+]/g, "")}`}>
      {number}
    </a>
  );
}
