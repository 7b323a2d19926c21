// One consultation: who is who first, then the face, the values beside it, orders and words.

import { useEffect } from "preact/hooks";
import { EmergencyFacts, emergencySince } from "../ui/emergency";
import type { TicketRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { Actions } from "./actions";
import { Faces } from "./faces";
import { Gate } from "./gate";
import { isSettled } from "./identity";
import { Now } from "./now-tiles";
import { PersonStrip } from "./person-strip";
import { Side } from "./side";
import { Trend } from "./trend-panel";
import { useCall } from "./use-call";
import { Wave } from "./wave";
import "./visit.css";
import "./visit-parts.css";
import "./vitals.css";

interface PageProps {
  wire: Wire;
  me: string;
  ticket: TicketRow;
}

export function VisitPage({ wire, me, ticket }: PageProps) {
  const visit = ticket.visit ? wire.views.rows("visits").get(ticket.visit) : undefined;
  if (!visit) return <p class="soft loading">{t("loading_visit")}</p>;
  return <Room wire={wire} me={me} ticket={ticket} visit={visit} />;
}

function Room({ wire, me, ticket, visit }: PageProps & { visit: VisitRow }) {
  const held = useCall(wire, visit);
  const settled = isSettled(visit);
  const subject = settled && !visit.quarantined ? visit.subject : null;
  useEffect(() => (subject ? wire.watchReadings(subject) : undefined), [subject]);
  const emergency = emergencySince(ticket.ticket, visit.emergency?.since ?? ticket.emergency);
  return (
    <main class={settled ? "visit" : "visit gated"} data-visit={visit.visit}>
      <PersonStrip wire={wire} ticket={ticket} visit={visit} />
      {emergency !== undefined && (
        <EmergencyFacts
          wire={wire}
          ticket={ticket.ticket}
          since={emergency}
          facts={visit.emergency ?? ticket.person ?? {}}
        />
      )}
      <PatientGone wire={wire} ticket={ticket} />
      <div class="visit-grid">
        <Faces visit={visit} held={held} />
        {settled ? (
          <>
            <Now wire={wire} subject={subject}>
              <Wave call={held.call} />
            </Now>
            <Trend wire={wire} subject={subject} />
          </>
        ) : (
          <Gate wire={wire} visit={visit} />
        )}
        <Side wire={wire} visit={visit} settled={settled} />
      </div>
      <Actions wire={wire} me={me} ticket={ticket} visit={visit} call={held.call} />
    </main>
  );
}

function PatientGone({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  if (ticket.away_since === null) return null;
  const time = span(wire.clock.now.value - ticket.away_since);
  return (
    <div class="banner lamp">
      <span>
        {t("patient_gone", { time })} <span class="small">{t("patient_gone_hint")}</span>
      </span>
    </div>
  );
}
