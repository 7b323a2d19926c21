// Everything about one ticket that a coordinator may see and do.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { FiredList } from "../ui/fired";
import { usePress } from "../ui/press";
import { TRIAGES, TriageMark } from "../ui/signs";
import type { IssuedLink, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, longDate, timeOfDay } from "../words/common";
import { t } from "../words/board";
import { staff } from "../words/staff";
import { DeviceAsk } from "./alerts";
import { Contact, Telephone } from "./contact";

interface TicketProps {
  wire: Wire;
  ticket: TicketRow;
  onIssued(links: readonly IssuedLink[]): void;
  onClose(): void;
}

export function TicketDialog({ wire, ticket, onIssued, onClose }: TicketProps) {
  const over = ticket.state === "ended" || ticket.state === "left";
  return (
    <Dialog
      title={`${ticket.code}　${staff(`state_${ticket.state}`)}`}
      onClose={onClose}
      cancel={common("close")}
    >
      <Facts wire={wire} ticket={ticket} />
      {ticket.state === "unanswered" && <Contact wire={wire} ticket={ticket} />}
      {ticket.device_requests.length > 0 && (
        <div class="row">
          <b>{t("alert_device_request")}</b>
          <DeviceAsk wire={wire} ticket={ticket} />
        </div>
      )}
      {!over && <Triage wire={wire} ticket={ticket} />}
      {!over && ticket.origin === "home" && (
        <LinkVerbs wire={wire} ticket={ticket} onIssued={onIssued} />
      )}
    </Dialog>
  );
}

function Facts({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const doctor = ticket.doctor && wire.views.rows("doctors").get(ticket.doctor)?.name;
  const room = wire.views.rows("rooms").get(ticket.room)?.name;
  const { person } = ticket;
  return (
    <dl class="facts">
      {person && (
        <>
          <dt>{staff("name")}</dt>
          <dd>
            {person.name} <span class="soft small">{person.kana}</span>
          </dd>
          <dt>{staff("birth_date")}</dt>
          <dd>{longDate(person.birth_date)}</dd>
          <dt>{staff("call_back")}</dt>
          <dd>
            <Telephone number={person.call_back} />
          </dd>
          <dt>{staff("location")}</dt>
          <dd>{person.location || common("unknown")}</dd>
        </>
      )}
      {room && (
        <>
          <dt>{t("room")}</dt>
          <dd>{room}</dd>
        </>
      )}
      {ticket.arrived !== null && (
        <>
          <dt>{t("arrived")}</dt>
          <dd>{timeOfDay(ticket.arrived)}</dd>
        </>
      )}
      {doctor && (
        <>
          <dt>{common("role_doctor")}</dt>
          <dd>{doctor}</dd>
        </>
      )}
      <dt>{t("last")}</dt>
      <dd>
        {ticket.disposition
          ? staff(`disposition_${ticket.disposition}`)
          : staff(`why_${ticket.why}`)}
        {ticket.first_visit && <span class="chip indigo">{staff("first_visit")}</span>}
        <FiredList ticket={ticket} />
      </dd>
    </dl>
  );
}

function Triage({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const [press, busy] = usePress(wire);
  return (
    <fieldset class="field">
      <legend class="label">{staff("triage")}</legend>
      <div class="segments">
        {TRIAGES.map((triage) => (
          <button
            key={triage}
            type="button"
            class="segment"
            aria-pressed={triage === ticket.triage}
            disabled={busy}
            data-triage={triage}
            onClick={() => press({ type: "set_triage", ticket: ticket.ticket, triage })}
          >
            <TriageMark triage={triage} />
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function LinkVerbs({ wire, ticket, onIssued }: Omit<TicketProps, "onClose">) {
  const [sure, setSure] = useState<"reissue" | "revoke" | undefined>();
  const [press, busy] = usePress(wire);
  const go = async () => {
    if (!sure) return;
    const type = sure === "reissue" ? "reissue_link" : "revoke_link";
    const outcome = await press({ type, ticket: ticket.ticket });
    setSure(undefined);
    if (outcome?.type === "issued") onIssued(outcome.links);
  };
  return (
    <div class="field">
      <span class="label">{t("link")}</span>
      {sure ? (
        <div class="sure">
          <p>{t(`${sure}_means`)}</p>
          <div class="row">
            <Button kind="quiet" onClick={() => setSure(undefined)}>
              {common("cancel")}
            </Button>
            <Button kind="primary" disabled={busy} onClick={go}>
              {t(`${sure}_do`)}
            </Button>
          </div>
        </div>
      ) : (
        <div class="row">
          <Button onClick={() => setSure("reissue")} data-act="reissue">
            {t("reissue")}
          </Button>
          <Button onClick={() => setSure("revoke")} data-act="revoke">
            {t("revoke")}
          </Button>
        </div>
      )}
    </div>
  );
}
