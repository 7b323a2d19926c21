// The waiting room: who is ahead, how long, why it changed, who may come, whom to telephone.

import { useState } from "preact/hooks";
import type { PlaceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { patient } from "../words/patient";
import { Button, Card } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import { CheckCard } from "./check-card";
import { CompanionNote, isCompanion } from "./companion";
import { Harbour } from "./harbour";
import { OtherBrowser } from "./other-browser";
import { OwnCard } from "./own-card";
import { waitWords, whyWords } from "./wait";
import { Worse } from "./welcome";

export interface PlaceProps {
  wire: Wire;
  place: PlaceRow;
}

export function Waiting({ wire, place }: PlaceProps) {
  const speaks = !isCompanion(wire);
  return (
    <div class="stack wide-gap">
      <Queue place={place} />
      {speaks ? <CheckCard /> : <CompanionNote />}
      {speaks && <OwnCard wire={wire} ticket={place.ticket} />}
      <Doctors place={place} />
      <ClinicCard place={place} />
      <Worse />
      <details class="card trouble">
        <summary>{patient("trouble")}</summary>
        <div class="stack">
          <OtherBrowser />
          {speaks && <LeaveButton wire={wire} place={place} />}
        </div>
      </details>
    </div>
  );
}

function Queue({ place }: { place: PlaceRow }) {
  const why = whyWords(place);
  return (
    <section class="card queue">
      {place.ahead !== null && <Harbour ahead={place.ahead} />}
      <div aria-live="polite" class="stack">
        <Ahead ahead={place.ahead} />
        <p class="range">{waitWords(place.wait)}</p>
        {why && <p class="why">{why}</p>}
      </div>
      <p class="soft small">{patient("stay")}</p>
      <p class="small own-code">
        {patient("your_code")} <strong>{place.code}</strong>
      </p>
    </section>
  );
}

function Ahead({ ahead }: { ahead: number | null }) {
  if (ahead === null) return <h1>{patient("waiting_title")}</h1>;
  if (ahead === 0) return <h1>{patient("next")}</h1>;
  return (
    <h1 class="ahead">
      {patient("ahead")} <strong>{ahead}</strong>
      {patient("ahead_unit", { n: ahead })}
    </h1>
  );
}

function Doctors({ place }: { place: PlaceRow }) {
  return (
    <Card title={patient("doctors")}>
      {place.may_appear.length === 0 && <p class="soft">{patient("doctors_unknown")}</p>}
      <ul class="people">
        {place.may_appear.map((doctor) => (
          <li key={doctor.name + doctor.affiliation}>
            <strong>{patient("called_doctor", { name: doctor.name })}</strong>
            <span class="soft small">{doctor.affiliation}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** The responsible institution and its telephone, at any time. */
export function ClinicCard({ place }: { place: Pick<PlaceRow, "clinic"> }) {
  const { name, phone } = place.clinic;
  return (
    <Card title={patient("clinic")}>
      <p>
        <strong>{name}</strong>
      </p>
      {phone && (
        <a class="button calm wide" href={`tel:${phone.replace(/[^\d+]/g, "")}`}>
          {patient("telephone")} {phone}
        </a>
      )}
    </Card>
  );
}

/** Gives the place up, after a question. */
export function LeaveButton({ wire, place }: PlaceProps) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const leave = async () => {
    await press({ type: "leave", ticket: place.ticket });
    setAsking(false);
  };
  return (
    <>
      <Button kind="quiet" wide onClick={() => setAsking(true)}>
        {patient("leave")}
      </Button>
      {asking && (
        <Dialog
          title={patient("leave_confirm")}
          onClose={() => setAsking(false)}
          cancel=""
          actions={
            <>
              <Button kind="calm" disabled={busy} onClick={leave}>
                {patient("leave_yes")}
              </Button>
              <Button kind="primary" onClick={() => setAsking(false)}>
                {patient("leave_no")}
              </Button>
            </>
          }
        >
          <p>{patient("leave_means")}</p>
        </Dialog>
      )}
    </>
  );
}
