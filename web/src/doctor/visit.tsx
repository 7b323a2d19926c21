// One consultation: who is who first, then the face, the values beside it, orders and words.

import { computed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { EmergencyFacts, emergencySince } from "../ui/emergency";
import { FiredList } from "../ui/fired";
import type { TicketRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { Actions } from "./actions";
import { Attachments } from "./attachments";
import { ConsentStep } from "./consent-step";
import { Faces } from "./faces";
import { Gate } from "./gate";
import { isSettled } from "./identity";
import { Now } from "./now-tiles";
import { PersonStrip } from "./person-strip";
import { type Range, rangeWith } from "./range";
import { Side } from "./side";
import { Trend } from "./trend-panel";
import { type HeldCall, useCall } from "./use-call";
import { Waves } from "./wave";
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
  // Not the rows themselves: one a second would draw the whole room anew.
  const measured = useMemo(
    () => computed(() => subject !== null && wire.readings.rows(subject).length > 0),
    [subject],
  );
  const none = settled && ticket.origin === "home" && !measured.value;
  const looks = !settled ? "visit gated" : none ? "visit no-values" : "visit";
  return (
    <main class={looks} data-visit={visit.visit}>
      <PersonStrip wire={wire} ticket={ticket} visit={visit} />
      <Emergency wire={wire} ticket={ticket} visit={visit} />
      <FiredList ticket={ticket} />
      <PatientGone wire={wire} ticket={ticket} />
      {settled && <ConsentStep wire={wire} visit={visit} />}
      <div class="visit-grid">
        <Faces visit={visit} held={held} />
        {!settled && <Gate wire={wire} visit={visit} />}
        {none && <p class="no-values-line">{t("home_no_values")}</p>}
        {settled && !none && <Values wire={wire} visit={visit} subject={subject} held={held} />}
        <Side wire={wire} visit={visit} settled={settled} />
      </div>
      <Actions wire={wire} me={me} ticket={ticket} visit={visit} call={held.call} />
    </main>
  );
}

interface ValuesProps {
  wire: Wire;
  visit: VisitRow;
  subject: string | null;
  held: HeldCall;
}

/** Now, and how it came to be: the tiles can point into the trend. */
function Values({ wire, visit, subject, held }: ValuesProps) {
  const [range, setRange] = useState<Range>("10");
  const see = (at: number) => {
    setRange(rangeWith(at, wire.clock.read()));
    document.querySelector(".trend")?.scrollIntoView({ block: "nearest" });
  };
  return (
    <>
      <Now
        wire={wire}
        subject={subject}
        ticket={visit.ticket}
        onSee={see}
        foot={<Attachments wire={wire} visit={visit} />}
      >
        <Waves call={held.call} />
      </Now>
      <Trend wire={wire} subject={subject} ticket={visit.ticket} range={range} onRange={setRange} />
    </>
  );
}

function Emergency({ wire, ticket, visit }: Omit<PageProps, "me"> & { visit: VisitRow }) {
  const since = emergencySince(ticket.ticket, visit.emergency?.since ?? ticket.emergency);
  if (since === undefined) return null;
  const facts = visit.emergency ?? ticket.person ?? {};
  return <EmergencyFacts wire={wire} ticket={ticket.ticket} since={since} facts={facts} />;
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
