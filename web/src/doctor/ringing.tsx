// A patient is being called and has not answered yet.

import { useRef } from "preact/hooks";
import { Button } from "../ui/controls";
import { FiredList } from "../ui/fired";
import { usePress } from "../ui/press";
import { TriageMark } from "../ui/signs";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { kit as words } from "../words/kit";
import { staff } from "../words/staff";

/** So long it rings before the broker goes on without an answer. */
const RING_MS = 60_000;

export function Ringing({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const seen = useRef(wire.clock.read());
  // The visit knows since when it rings; until its row is here, this screen's own first sight does.
  const visit = ticket.visit ? wire.views.rows("visits").get(ticket.visit) : undefined;
  const rings = wire.clock.now.value - (visit?.started ?? seen.current);
  const [press, busy] = usePress(wire);
  const cancel = () => press({ type: "cancel_call", ticket: ticket.ticket, epoch: ticket.epoch });
  return (
    <main class="ringing" data-ticket={ticket.ticket}>
      <section class="card stack">
        <div class="ripple" aria-hidden="true">
          <span>{ticket.code}</span>
        </div>
        <h2 aria-live="polite">{t("ringing", { code: ticket.code })}</h2>
        <progress
          class="ring-time"
          max={RING_MS}
          value={Math.min(rings, RING_MS)}
          aria-hidden="true"
        />
        <p class="ringing-for">{span(rings)}</p>
        <p class="row facts-line">
          <TriageMark triage={ticket.triage} />
          <span>{staff("age_band", { n: ticket.age_band })}</span>
          <span>{staff(`origin_${ticket.origin}`)}</span>
          {ticket.first_visit && <span class="chip indigo">{staff("first_visit")}</span>}
        </p>
        <FiredList ticket={ticket} />
        {ticket.kit && <AtHome wire={wire} ticket={ticket} />}
        <p class="soft">
          {ticket.origin === "bedside" && <>{t("ringing_bedside")} </>}
          {t("ringing_hint")}
        </p>
        <Button disabled={busy} onClick={cancel} data-act="cancel-call">
          {t("ringing_cancel")}
        </Button>
      </section>
    </main>
  );
}

/** Nobody sits at home and waits: whether the page is open, and the telephone in any case. */
function AtHome({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const [press, busy] = usePress(wire);
  const number = ticket.person?.call_back ?? "";
  const reached = () => press({ type: "answer", ticket: ticket.ticket, epoch: ticket.epoch });
  return (
    <div class="stack at-home">
      {ticket.away_since !== null && (
        <p class="banner lamp" role="status">
          {words("ringing_page_closed")}
        </p>
      )}
      <p>
        {words("ringing_phone")}{" "}
        <a href={`tel:${number.replace(/[^\d+]/g, "")}`}>
          <b>{number}</b>
        </a>
      </p>
      <Button kind="primary" disabled={busy} onClick={reached} data-act="reached-by-phone">
        {words("ringing_phone_done")}
      </Button>
      <p class="soft small">{words("ringing_phone_means")}</p>
    </div>
  );
}
