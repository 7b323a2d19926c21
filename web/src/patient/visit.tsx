// The visit as the patient sees it: faces first, then who I am, who is here, and what was measured.
// Nothing above a question grows while a call comes up: it would move under the finger.

import { useEffect, useState } from "preact/hooks";
import type { PlaceRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { CallRoom } from "../call/room";
import { Banner } from "../ui/banner";
import { Chat } from "../ui/chat";
import { Button, Card } from "../ui/controls";
import { Parties } from "../ui/parties";
import { usePress } from "../ui/press";
import { Consent, WhoIsWho } from "./agree";
import { CompanionNote, isCompanion } from "./companion";
import { Measured } from "./measured";
import { OwnCard } from "./own-card";
import { ClinicCard, type PlaceProps } from "./waiting";
import { Worse } from "./welcome";
import "./visit.css";

export function Visit({ wire, place }: PlaceProps) {
  const visit = [...wire.views.rows("visits").values()].find((row) => row.visit === place.visit);
  if (!visit) {
    return (
      <p class="banner waiting" role="status">
        {common("wait_moment")}
      </p>
    );
  }
  return <VisitPage wire={wire} place={place} visit={visit} />;
}

interface VisitProps extends PlaceProps {
  visit: VisitRow;
}

function VisitPage({ wire, place, visit }: VisitProps) {
  const speaks = !isCompanion(wire);
  return (
    <div class="stack visit">
      <h1 class="unseen">{patient("visit_title")}</h1>
      {visit.emergency && (
        <div role="alert">
          <Banner tone="lamp">{patient("urgent")}</Banner>
        </div>
      )}
      <div class="who-speaks">
        <strong>{patient("visit_with", { name: visit.doctor.name })}</strong>
        <span class="soft small">{visit.doctor.affiliation}</span>
      </div>
      <CallRoom wire={wire} visit={visit} />
      {visit.audio_only && <Banner>{patient("audio_only")}</Banner>}
      {speaks ? (
        <>
          <WhoIsWho wire={wire} visit={visit} />
          <Consent wire={wire} visit={visit} />
        </>
      ) : (
        <CompanionNote />
      )}
      <Parties visit={visit} />
      {visit.subject && !visit.quarantined && <Measured wire={wire} subject={visit.subject} />}
      {speaks && !visit.quarantined && <OwnCard wire={wire} ticket={place.ticket} />}
      <Write wire={wire} visit={visit} speaks={speaks} />
      {speaks && <Trouble wire={wire} place={place} visit={visit} />}
      <ClinicCard place={place} />
      <Worse />
    </div>
  );
}

function Write({ wire, visit, speaks }: { wire: Wire; visit: VisitRow; speaks: boolean }) {
  const [open, setOpen] = useState(false);
  // A line from somebody must be seen, even by who never opened the chat.
  const seen = open || visit.chat_seq > 0;
  if (!seen) {
    if (!speaks) return null;
    return (
      <Button wide onClick={() => setOpen(true)}>
        {patient("write")}
      </Button>
    );
  }
  return (
    <Card title={common("chat")}>
      <Chat wire={wire} visit={visit.visit} role="patient" readOnly={!speaks} />
    </Card>
  );
}

function Trouble({ wire, place, visit }: { wire: Wire; place: PlaceRow; visit: VisitRow }) {
  const [press, busy] = usePress(wire);
  const [said, setSaid] = useState(false);
  const doctorAway = !visit.parties.some((party) => party.role === "doctor" && party.present);
  useEffect(() => setSaid(false), [doctorAway]);
  const silent = async () => {
    const done = await press({ type: "doctor_silent", ticket: place.ticket }, { mayWait: true });
    if (done) setSaid(true);
  };
  const audio = () =>
    press({ type: "audio_only", visit: visit.visit, reason: patient("audio_reason") });
  return (
    <section class="stack" aria-live="polite">
      {doctorAway && <Banner tone="lamp">{patient("doctor_away")}</Banner>}
      {said && <Banner>{patient("silent_told")}</Banner>}
      <div class="row trouble-buttons">
        <Button disabled={busy || said} onClick={silent}>
          {patient("silent")}
        </Button>
        {!visit.audio_only && (
          <Button disabled={busy} onClick={audio}>
            {patient("go_audio")}
          </Button>
        )}
      </div>
    </section>
  );
}
