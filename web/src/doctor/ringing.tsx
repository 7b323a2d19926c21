// A patient is being called and has not answered yet.

import { useRef } from "preact/hooks";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import { TriageMark } from "../ui/signs";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/doctor";
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
