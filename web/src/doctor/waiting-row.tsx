// One who waits, as much as a doctor may know before the call.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { FiredList } from "../ui/fired";
import { Sign, TriageMark } from "../ui/signs";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span, timeOfDay } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { OpenPerson } from "./open-person";
import { hurdlesOf } from "./queue";

interface RowProps {
  wire: Wire;
  me: string;
  ticket: TicketRow;
  place: number;
  callable: boolean;
  onCall(): void;
}

export function WaitingRow({ wire, me, ticket, place, callable, onCall }: RowProps) {
  const [opening, setOpening] = useState(false);
  const hurdles = hurdlesOf(ticket);
  const now = wire.clock.now.value;
  const urgent = ticket.emergency !== null || ticket.triage === "emergency";
  return (
    <li
      class={urgent ? "queue-row urgent" : "queue-row"}
      data-ticket={ticket.ticket}
      data-code={ticket.code}
    >
      <span class="place">{place}</span>
      <b class="code">{ticket.code}</b>
      <TriageMark triage={ticket.triage} />
      <span>{ticket.age_band && staff("age_band", { n: ticket.age_band })}</span>
      <span>{staff(`origin_${ticket.origin}`)}</span>
      <span class="wait">{ticket.arrived !== null && span(now - ticket.arrived)}</span>
      <span class="marks">
        <Marks wire={wire} me={me} ticket={ticket} />
      </span>
      <span class="acts">
        <Button
          kind="quiet"
          size="slim"
          aria-label={t("open_person_label", { code: ticket.code })}
          onClick={() => setOpening(true)}
        >
          {t("open_person")}
        </Button>
        <Button
          size="slim"
          data-act="call-one"
          aria-label={t("call_one_label", { code: ticket.code })}
          disabled={!callable || hurdles.includes("not_ready")}
          onClick={onCall}
        >
          {t("call_one")}
        </Button>
      </span>
      {opening && <OpenPerson wire={wire} ticket={ticket} onClose={() => setOpening(false)} />}
    </li>
  );
}

/** Everything that a doctor should see at a glance beside the plain facts. */
function Marks({ wire, me, ticket }: { wire: Wire; me: string; ticket: TicketRow }) {
  const now = wire.clock.now.value;
  const preferred = ticket.preferred;
  const other =
    preferred && preferred !== me ? wire.views.rows("doctors").get(preferred) : undefined;
  return (
    <>
      {ticket.emergency !== null && (
        <span class="chip amber">
          <Sign shape="triangle" size={11} />
          {t("emergency_waiting", { time: timeOfDay(ticket.emergency) })}
        </span>
      )}
      {preferred === me && <span class="chip moss">{t("for_me")}</span>}
      {preferred && preferred !== me && (
        <span class="chip grey">{t("for_other", { name: other?.name ?? t("somebody") })}</span>
      )}
      {ticket.first_visit && <span class="chip indigo">{staff("first_visit")}</span>}
      {!ticket.ready && <span class="chip lamp">{t("not_ready")}</span>}
      {ticket.away_since !== null && (
        <span class="chip grey">{t("away", { time: span(now - ticket.away_since) })}</span>
      )}
      {ticket.misses > 0 && <span class="chip lamp">{t("misses", { n: ticket.misses })}</span>}
      <FiredList ticket={ticket} />
      {ticket.why !== "arrived" && ticket.why !== "emergency" && ticket.fired.length === 0 && (
        <span class="why soft">{staff(`why_${ticket.why}`)}</span>
      )}
    </>
  );
}
