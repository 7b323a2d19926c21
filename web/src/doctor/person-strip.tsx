// Whose visit this is, in one line that stays in sight.

import { TriageMark } from "../ui/signs";
import type { TicketRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { longDate, span, timeOfDay } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { ageOn } from "../words/age";
import { isOwed } from "./identity";

interface StripProps {
  wire: Wire;
  ticket: TicketRow;
  visit: VisitRow;
}

export function PersonStrip({ wire, ticket, visit }: StripProps) {
  const now = wire.clock.now.value;
  const person = visit.person;
  return (
    <header class="strip">
      <b class="code">{visit.code}</b>
      {person && (
        <span class="person">
          <b>{person.name}</b>
          <span class="soft small">{person.kana}</span>
          <span>
            {longDate(person.birth_date)}（
            {t("years", { n: ageOn(person.birth_date, new Date(now).toISOString().slice(0, 10)) })}
            ）
          </span>
        </span>
      )}
      <span class="strip-marks">
        <TriageMark triage={ticket.triage} />
        {ticket.first_visit && (
          <span class="chip indigo" title={staff("first_visit_limits")}>
            {staff("first_visit")}
          </span>
        )}
        <Consent visit={visit} />
        {isOwed(visit) && (
          <span class="chip lamp" title={visit.identity.deferred ?? ""}>
            {staff("identity")}: {staff("identity_deferred")}
          </span>
        )}
        {visit.audio_only !== null && (
          <span class="chip grey">{t("audio_only_chip", { reason: visit.audio_only })}</span>
        )}
      </span>
      <span class="elapsed">{t("since", { time: span(now - visit.started) })}</span>
    </header>
  );
}

function Consent({ visit }: { visit: VisitRow }) {
  if (visit.consent === null) {
    return (
      <span class="chip lamp" title={visit.identity.deferred ?? t("consent_wait")}>
        {staff("consent_open")}
      </span>
    );
  }
  return (
    <span class="chip moss">
      {staff("consent_given")} {timeOfDay(visit.consent[1])}
    </span>
  );
}
