// What somebody has to look at now, on top of the board, each with what helps beside it.

import { useMemo } from "preact/hooks";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import { ALERT_SHAPES, Sign } from "../ui/signs";
import type { AlertRow, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span, timeOfDay } from "../words/common";
import { t } from "../words/board";
import { staff } from "../words/staff";
import { alertsInOrder } from "./columns";
import { Contact, Telephone } from "./contact";

interface AlertsProps {
  wire: Wire;
  onOpen(ticket: string): void;
}

export function Alerts({ wire, onOpen }: AlertsProps) {
  const rows = wire.views.rows("alerts");
  const alerts = useMemo(() => alertsInOrder(rows.values()), [rows]);
  return (
    <section class="alerts" aria-label={t("alerts")} aria-live="polite">
      {alerts.map((alert) => (
        <Alert key={alert.alert} wire={wire} alert={alert} onOpen={onOpen} />
      ))}
    </section>
  );
}

interface AlertProps {
  wire: Wire;
  alert: AlertRow;
  onOpen(ticket: string): void;
}

function Alert({ wire, alert, onOpen }: AlertProps) {
  const ticket = wire.views.rows("tickets").get(alert.ticket);
  return (
    <article class={`alert ${alert.kind}`} data-alert={alert.kind}>
      <Sign shape={ALERT_SHAPES[alert.kind]} size={20} />
      <div class="alert-words">
        <p>
          <b>{t(`alert_${alert.kind}`)}</b>{" "}
          <button type="button" class="code-link" onClick={() => onOpen(alert.ticket)}>
            {alert.code}
          </button>{" "}
          {ticket?.person?.name}
        </p>
        <p class="small">
          <b class="since">
            {timeOfDay(alert.since)}（{span(wire.clock.now.value - alert.since)}）
          </b>{" "}
          <Hint alert={alert} ticket={ticket} />
        </p>
      </div>
      <div class="alert-verbs">
        {alert.kind === "unanswered" && ticket && <Contact wire={wire} ticket={ticket} />}
        {alert.kind === "device_request" && ticket && <DeviceAsk wire={wire} ticket={ticket} />}
        {alert.kind === "emergency" && ticket?.person && (
          <Telephone number={ticket.person.call_back} />
        )}
      </div>
    </article>
  );
}

function Hint({ alert, ticket }: { alert: AlertRow; ticket: TicketRow | undefined }) {
  if (alert.kind === "emergency" && ticket?.person?.location) {
    return (
      <>
        {staff("location")}: {ticket.person.location}
      </>
    );
  }
  return <>{t(`hint_${alert.kind}`)}</>;
}

/** A second device wants onto a ticket. */
export function DeviceAsk({ wire, ticket }: { wire: Wire; ticket: TicketRow }) {
  const [press, busy] = usePress(wire);
  const answer = (request: string, yes: boolean) =>
    press({ type: "allow_device", ticket: ticket.ticket, request, yes });
  return (
    <>
      {ticket.device_requests.map((request) => (
        <span key={request} class="row">
          <Button size="slim" kind="primary" disabled={busy} onClick={() => answer(request, true)}>
            {t("device_yes")}
          </Button>
          <Button size="slim" disabled={busy} onClick={() => answer(request, false)}>
            {t("device_no")}
          </Button>
        </span>
      ))}
    </>
  );
}
