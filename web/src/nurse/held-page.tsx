// 誰のものか決まっていない測定: that there is one, and the form that says whose it is. The value is
// shown to nobody before that.

import { useState } from "preact/hooks";
import type { HeldRow, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { ago, common, timeOfDay } from "../words/common";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { ReasonField } from "../ui/checking";
import { Button, Card, Choices, Field } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { tell } from "../ui/notice";
import { refusal, usePress } from "../ui/press";
import { Back } from "./admit";
import { show } from "./app";
import { EMPTY_HELD, type HeldForm, lackingOf, needsReason, settleAct } from "./held";
import { byNeed } from "./order";
import { ScanButton } from "./scan-button";
import { ticketCode } from "./scanned";

export function HeldList({ wire }: { wire: Wire }) {
  const rows = [...wire.views.rows("held").values()].sort((a, b) => b.measured_at - a.measured_at);
  if (rows.length === 0) return null;
  return (
    <Card title={nurse("held")} class="held-card">
      <ul class="stack">
        {rows.map((row) => (
          <li key={row.reading}>
            <button
              type="button"
              class="line held"
              data-held={row.reading}
              onClick={() => show({ at: "held", reading: row.reading })}
            >
              <Told wire={wire} row={row} />
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Device, time and why: never the value. */
function Told({ wire, row }: { wire: Wire; row: HeldRow }) {
  return (
    <span class="who">
      <strong>
        {nurse(`device_${row.device.kind}`)} {timeOfDay(row.measured_at)}
      </strong>
      <span class="small">
        {ago(wire.clock.now.value - row.measured_at)} · {row.device.model} · {row.device.id}
      </span>
      <span class="small">{nurse(`held_${row.because}`)}</span>
    </span>
  );
}

export function HeldPage({ wire, row }: { wire: Wire; row: HeldRow }) {
  const [form, setForm] = useState<HeldForm>(EMPTY_HELD);
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  const [press, busy] = usePress(wire);
  const lacking = lackingOf(form, row, wire.clock.now.value, asked);
  const tickets = [...wire.views.rows("tickets").values()].sort(byNeed);
  const settle = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (lacking.size > 0 || !form.ticket) return;
    const ticket = form.ticket;
    if (await press(settleAct(form, row))) show({ at: "ticket", ticket });
    else if (refusal.value?.code === "reason_first") setAsked(true);
  };
  const wrong = (field: keyof HeldForm) =>
    tried && lacking.has(field) ? nurse("required") : undefined;
  return (
    <form onSubmit={settle} novalidate>
      <Card title={nurse("held_title")} class="held-page">
        <Back />
        <Told wire={wire} row={row} />
        <p class="soft">{nurse("held_means")}</p>
        <Patients tickets={tickets} form={form} onForm={setForm} wrong={wrong("ticket")} />
        <div class="person-fields">
          <Field
            label={staff("code")}
            hint={nurse("held_code_hint")}
            value={form.code}
            onValue={(code) => setForm({ ...form, code })}
            wrong={wrong("code")}
            name="code"
            autocomplete="off"
            maxLength={12}
            digits
          />
          <Field
            label={staff("birth_date")}
            hint={nurse("birth_hint")}
            value={form.birthDate}
            onValue={(birthDate) => setForm({ ...form, birthDate })}
            wrong={wrong("birthDate")}
            name="birth_date"
            autocomplete="off"
          />
        </div>
        <ScanButton onText={(text) => setForm({ ...form, code: ticketCode(text) })} />
        {(asked || needsReason(row, wire.clock.now.value)) && (
          <>
            <p class="banner lamp">{nurse("held_old")}</p>
            <ReasonField
              value={form.reason}
              onValue={(reason) => setForm({ ...form, reason })}
              ready={[nurse("held_reason_late"), nurse("held_reason_hurry")]}
            />
            {wrong("reason") && <p role="alert">{wrong("reason")}</p>}
          </>
        )}
        <Button type="submit" kind="primary" size="big" wide disabled={busy} data-act="settle-reading">
          {nurse("held_do")}
        </Button>
        <Dismiss wire={wire} row={row} />
      </Card>
    </form>
  );
}

interface PatientsProps {
  tickets: readonly TicketRow[];
  form: HeldForm;
  onForm(form: HeldForm): void;
  wrong: string | undefined;
}

function Patients({ tickets, form, onForm, wrong }: PatientsProps) {
  return (
    <>
      <Choices
        label={nurse("held_whose")}
        value={form.ticket}
        onValue={(ticket) => onForm({ ...form, ticket })}
        options={tickets.map((row) => ({
          value: row.ticket,
          // The code is what the nurse has to read off the person: it stands nowhere here.
          text: row.person?.name ?? staff("age_band", { n: row.age_band }),
        }))}
      />
      {tickets.length === 0 && <p class="soft">{nurse("list_empty")}</p>}
      {wrong && <p role="alert">{wrong}</p>}
    </>
  );
}

/** It is no patient's: somebody tried the cuff on, say. */
function Dismiss({ wire, row }: { wire: Wire; row: HeldRow }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [press, busy] = usePress(wire);
  const dismiss = async () => {
    const act = { type: "dismiss_reading" as const, reading: row.reading, reason: reason.trim() };
    const done = await press(act);
    setAsking(false);
    if (!done) return;
    tell(nurse("held_dismissed"));
    show({ at: "nothing" });
  };
  return (
    <>
      <Button kind="quiet" onClick={() => setAsking(true)} data-act="dismiss">
        {nurse("held_dismiss")}
      </Button>
      {asking && (
        <Dialog
          title={nurse("held_dismiss_title")}
          onClose={() => setAsking(false)}
          cancel={common("cancel")}
          actions={
            <Button kind="primary" disabled={busy || !reason.trim()} onClick={dismiss} data-act="dismiss-do">
              {nurse("held_dismiss")}
            </Button>
          }
        >
          <p>{nurse("held_dismiss_means")}</p>
          <ReasonField
            value={reason}
            onValue={setReason}
            ready={[nurse("held_reason_trial"), nurse("held_reason_staff")]}
          />
        </Dialog>
      )}
    </>
  );
}
