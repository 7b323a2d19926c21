// Visits that this doctor interrupted: who is expected back.

import { useComputed } from "@preact/signals";
import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { callIn } from "./calling";
import { parkedFor } from "./queue";

export function Parked({ wire, me }: { wire: Wire; me: string }) {
  const parked = useComputed(() => parkedFor(wire.views.rows("tickets").values(), me)).value;
  if (parked.length === 0) return null;
  return (
    <section class="card stack parked">
      <h2>{t("parked")}</h2>
      <ul class="stack">
        {parked.map((ticket) => (
          <ParkedRow key={ticket.ticket} wire={wire} ticket={ticket} />
        ))}
      </ul>
      <p class="soft small">{t("parked_hint")}</p>
    </section>
  );
}

function ParkedRow({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const [busy, setBusy] = useState(false);
  const connected = wire.link.value.state === "connected";
  const resume = async () => {
    setBusy(true);
    await callIn(wire, { type: "call_one", room: ticket.room, ticket: ticket.ticket });
    setBusy(false);
  };
  return (
    <li class="row" data-ticket={ticket.ticket}>
      <b class="code">{ticket.code}</b>
      <span>{staff("age_band", { n: ticket.age_band })}</span>
      <span class="soft small">
        {ticket.away_since === null
          ? staff(`origin_${ticket.origin}`)
          : t("away", { time: span(wire.clock.now.value - ticket.away_since) })}
      </span>
      <span class="push">
        <Button
          size="slim"
          disabled={busy || !connected || !ticket.ready}
          aria-label={t("resume_label", { code: ticket.code })}
          onClick={resume}
        >
          {t("resume")}
        </Button>
      </span>
    </li>
  );
}
