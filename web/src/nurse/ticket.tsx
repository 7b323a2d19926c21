// One patient on the nurse's tablet: who it is, the vitals, the devices, the call, the visit.

import { useEffect, useState } from "preact/hooks";
import type { TicketRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, longDate, timeOfDay } from "../words/common";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { Button, Card } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { EmergencyButton, EmergencyFacts } from "../ui/emergency";
import { usePress } from "../ui/press";
import { Tiles } from "../ui/tile";
import { Back } from "./admit";
import { show } from "./app";
import { DirectLine } from "./box-words";
import { Devices } from "./devices";
import { emergencyNow, State } from "./list";
import { isOver } from "./order";
import { EnterPatientView } from "./patient-view";
import { Requests, SecondDevice } from "./second-device";
import { correct, Typing } from "./typing";
import { VisitPanel } from "./visit";

export interface TicketProps {
  wire: Wire;
  row: TicketRow;
}

export function TicketPage({ wire, row }: TicketProps) {
  const visit = visitOf(wire, row);
  const subject = row.subject;
  useEffect(() => (subject ? wire.watchReadings(subject) : undefined), [subject]);
  // What the new state asks for stands at the top.
  useEffect(() => window.scrollTo(0, 0), [row.state]);
  const since = emergencyNow(row);
  const facts = visit?.emergency ?? {
    location: row.person?.location ?? "",
    call_back: row.person?.call_back ?? "",
  };
  const tiles = visit?.quarantined ? (
    <p class="banner lamp">{staff("wrong_patient_held")}</p>
  ) : (
    subject && <Tiles
        wire={wire}
        subject={subject}
        ticket={row.ticket}
        onCorrect={(wrong) => correct(row.ticket, wrong)}
      />
  );
  // She measures while she listens: the devices stand where the values are.
  const vitals = (
    <>
      <DirectLine wire={wire} />
      {tiles}
      {!isOver(row) && !visit?.quarantined && <Typing wire={wire} row={row} />}
      {!isOver(row) && <Devices wire={wire} row={row} short={row.state === "in_visit"} />}
    </>
  );
  return (
    <>
      <Head wire={wire} row={row} visit={visit} />
      {since !== undefined && (
        <EmergencyFacts wire={wire} ticket={row.ticket} since={since} facts={facts} />
      )}
      <NextStep wire={wire} row={row} visit={visit} />
      <Requests wire={wire} row={row} />
      {row.state === "in_visit" && visit ? (
        <VisitPanel wire={wire} row={row} visit={visit} vitals={vitals} />
      ) : (
        vitals
      )}
      {!isOver(row) && <Foot wire={wire} row={row} />}
    </>
  );
}

function visitOf(wire: Wire, row: TicketRow): VisitRow | undefined {
  return [...wire.views.rows("visits").values()].find((visit) => visit.ticket === row.ticket);
}

function Head({ wire, row, visit }: TicketProps & { visit: VisitRow | undefined }) {
  const emergency = emergencyNow(row) !== undefined;
  const person = visit?.quarantined ? undefined : row.person;
  return (
    <header class="card head">
      <Back />
      <div class="row">
        <span class="code">{row.code}</span>
        <State row={row} emergency={emergency} />
        <span class="chip">{staff(`triage_${row.triage}`)}</span>
        {row.first_visit && <span class="chip lamp">{staff("first_visit")}</span>}
        {row.away_since !== null && <span class="chip grey">{staff("screen_gone")}</span>}
        {isOver(row) && row.emergency !== null && (
          <span class="chip grey">{nurse("emergency_was", { time: timeOfDay(row.emergency) })}</span>
        )}
        {!emergency && !isOver(row) && (
          <span class="push">
            <EmergencyButton wire={wire} ticket={row.ticket} />
          </span>
        )}
      </div>
      {person && (
        <div class="person">
          <strong class="name">{person.name}</strong>
          <span class="soft">{person.kana}</span>
          <span>{longDate(person.birth_date)}</span>
          <span class="soft small">
            {staff("call_back")} {person.call_back} · {person.location}
          </span>
        </div>
      )}
      {row.why !== "arrived" && !(isOver(row) && row.why === "emergency") && <p class="small soft">{staff(`why_${row.why}`)}</p>}
    </header>
  );
}

/** The one thing to do next, as wide as the screen. */
function NextStep({ wire, row, visit }: TicketProps & { visit: VisitRow | undefined }) {
  const [press, busy] = usePress(wire);
  const unsent = wire.acts.pending.value.some(
    ({ act, sent }) => act.type === "set_ready" && act.ticket === row.ticket && !sent,
  );
  const doctor = visit?.doctor.name ?? "";
  const ready = (on: boolean) =>
    void press({ type: "set_ready", ticket: row.ticket, ready: on }, { mayWait: true });
  switch (row.state) {
    case "called":
      return (
        <section class="calling stack" aria-live="assertive">
          <h2>{nurse("called", { name: doctor })}</h2>
          <Button
            kind="primary"
            size="big"
            wide
            disabled={busy}
            data-act="answer"
            onClick={() => void press({ type: "answer", ticket: row.ticket, epoch: row.epoch })}
          >
            {nurse("answer")}
          </Button>
        </section>
      );
    case "waiting":
      return (
        <section class="card stack">
          <p class={row.ready ? "banner moss" : "banner"}>
            {nurse(row.ready ? "ready_on" : "ready_off")}
            {unsent && <span class="chip lamp push">{common("unsent")}</span>}
          </p>
          {row.ready ? (
            <Button disabled={busy} onClick={() => ready(false)}>
              {nurse("not_ready")}
            </Button>
          ) : (
            <Button kind="primary" size="big" wide disabled={busy} onClick={() => ready(true)} data-act="ready">
              {nurse("ready")}
            </Button>
          )}
        </section>
      );
    case "parked":
      return <p class="banner lamp">{nurse("parked")}</p>;
    case "ended":
      return (
        <Card title={nurse("ended")}>
          {row.disposition && <p>{staff(`disposition_${row.disposition}`)}</p>}
        </Card>
      );
    case "invited":
    case "in_visit":
    case "unanswered":
    case "left":
      return null;
  }
}

function Foot({ wire, row }: TicketProps) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const withdraw = async () => {
    const done = await press({ type: "leave", ticket: row.ticket });
    setAsking(false);
    if (done) show({ at: "nothing" });
  };
  return (
    <div class="row foot">
      <EnterPatientView wire={wire} row={row} />
      <SecondDevice wire={wire} row={row} />
      {row.state !== "in_visit" && (
        <Button kind="quiet" onClick={() => setAsking(true)}>
          {nurse("withdraw")}
        </Button>
      )}
      {asking && (
        <Dialog
          title={nurse("withdraw_confirm")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy} onClick={withdraw}>
              {nurse("withdraw")}
            </Button>
          }
        >
          <p>{nurse("withdraw_means")}</p>
        </Dialog>
      )}
    </div>
  );
}
