// One ticket as a magnet on the board.

import { Sign, TriageMark } from "../ui/signs";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/board";
import { staff } from "../words/staff";

interface MagnetProps {
  wire: Wire;
  ticket: TicketRow;
  place: number | undefined;
  mixed: boolean;
  onOpen(ticket: string): void;
}

export function Magnet({ wire, ticket, place, mixed, onOpen }: MagnetProps) {
  const over = ticket.state === "ended" || ticket.state === "left";
  const emergency = ticket.emergency !== null && !over;
  return (
    <li>
      <button
        type="button"
        class={`magnet ${ticket.triage}${emergency ? " emergency-now" : ""}`}
        data-ticket={ticket.ticket}
        data-code={ticket.code}
        onClick={() => onOpen(ticket.ticket)}
      >
        <span class="magnet-top">
          {place !== undefined && <span class="place">{place}</span>}
          <b class="code">{ticket.code}</b>
          <span class="magnet-name">{ticket.person?.name}</span>
          <Wait wire={wire} ticket={ticket} />
        </span>
        <span class="magnet-facts">
          {/* No word means the ordinary urgency: fewer words, and those that stand there are seen. */}
          {!over && ticket.triage !== "standard" && <TriageMark triage={ticket.triage} />}
          <Where wire={wire} ticket={ticket} mixed={mixed} />
        </span>
        <Marks wire={wire} ticket={ticket} emergency={emergency} />
      </button>
    </li>
  );
}

function Wait({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const waits = ticket.state === "waiting" || ticket.state === "unanswered";
  if (!waits || ticket.arrived === null) return null;
  return <span class="wait">{span(wire.clock.now.value - ticket.arrived)}</span>;
}

function Where({ wire, ticket, mixed }: { wire: Wire; ticket: TicketRow; mixed: boolean }) {
  const doctor = ticket.doctor && wire.views.rows("doctors").get(ticket.doctor)?.name;
  const room = mixed ? wire.views.rows("rooms").get(ticket.room)?.name : undefined;
  if (ticket.disposition) return <span>{staff(`disposition_${ticket.disposition}`)}</span>;
  if (ticket.state === "left") return <span>{staff("state_left")}</span>;
  return (
    <>
      {doctor && <span class="with">{t("with_doctor", { name: doctor })}</span>}
      {ticket.origin === "bedside" && <span>{staff("origin_bedside")}</span>}
      {room && <span class="soft">{room}</span>}
    </>
  );
}

interface MarksProps {
  wire: Wire;
  ticket: TicketRow;
  emergency: boolean;
}

function Marks({ wire, ticket, emergency }: MarksProps) {
  const now = wire.clock.now.value;
  const away = ticket.away_since;
  const waiting = ticket.state === "waiting";
  const marks = [
    emergency && (
      <span class="chip amber" key="emergency">
        <Sign shape="triangle" size={10} />
        {staff("emergency")}
      </span>
    ),
    waiting && !ticket.ready && (
      <span class="chip lamp" key="ready">
        {t("not_ready")}
      </span>
    ),
    away !== null && (
      <span class="chip grey" key="away">
        {t("away", { time: span(now - away) })}
      </span>
    ),
    ticket.misses > 0 && (
      <span class="chip lamp" key="misses">
        {t("misses", { n: ticket.misses })}
      </span>
    ),
    ticket.first_visit && (
      <span class="chip indigo" key="first">
        {t("first_visit")}
      </span>
    ),
    ticket.device_requests.length > 0 && (
      <span class="chip indigo" key="device">
        {t("device_asked")}
      </span>
    ),
  ].filter(Boolean);
  return marks.length > 0 ? <span class="magnet-marks">{marks}</span> : null;
}
