// Who is who: both sides see the same name, birth date and code, and each confirms once.

import { useState } from "preact/hooks";
import type { IdentityMethod, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, longDate, timeOfDay } from "../words/common";
import { staff } from "../words/staff";
import { Button } from "./controls";
import { Dialog } from "./dialog";
import { Owed } from "./owed";
import { usePress } from "./press";

const METHODS: IdentityMethod[] = ["asked_name_and_birth_date", "card_shown", "known_in_person"];

interface IdentityProps {
  wire: Wire;
  visit: VisitRow;
  /** Which side this screen confirms for. */
  side: "doctor" | "other_side";
}

/** Open until this side has said who it is; then one line that unfolds. */
export function IdentityCard({ wire, visit, side }: IdentityProps) {
  if (!visit.identity[side]) return <Ask wire={wire} visit={visit} side={side} />;
  return (
    <section class="card identity-done">
      <details class="fold">
        <summary>
          <span class="row">
            <strong>{staff("identity")}</strong>
            <Sides visit={visit} />
          </span>
        </summary>
        <Person visit={visit} />
      </details>
      <WrongPatientButton wire={wire} visit={visit.visit} />
    </section>
  );
}

function Ask({ wire, visit, side }: IdentityProps) {
  const [press, busy] = usePress(wire);
  const confirm = (method: IdentityMethod) =>
    press({ type: "confirm_identity", visit: visit.visit, method });
  const methods = side === "doctor" ? METHODS.slice(0, 2) : METHODS;
  return (
    <Owed after="identity_first" label={staff("identity")} class="card stack">
      <h2>{staff("identity")}</h2>
      <Person visit={visit} />
      <div class="row">
        <Sides visit={visit} />
      </div>
      {!visit.quarantined && (
        <div class="row">
          {methods.map((method) => (
            <Button key={method} kind="primary" disabled={busy} onClick={() => confirm(method)}>
              {staff(`identity_${method}`)}
            </Button>
          ))}
          <WrongPatientButton wire={wire} visit={visit.visit} />
        </div>
      )}
    </Owed>
  );
}

function Sides({ visit }: { visit: VisitRow }) {
  return (
    <>
      <Confirmed side="doctor" visit={visit} />
      <Confirmed side="other_side" visit={visit} />
      {visit.identity.deferred && (
        <span class="chip lamp">
          {staff("identity_deferred")}: {visit.identity.deferred}
        </span>
      )}
    </>
  );
}

function Person({ visit }: { visit: VisitRow }) {
  if (!visit.person) return <p>{staff("wrong_patient_held")}</p>;
  return (
    <dl class="facts">
      <dt>{staff("name")}</dt>
      <dd>
        {visit.person.name} <span class="soft small">{visit.person.kana}</span>
      </dd>
      <dt>{staff("birth_date")}</dt>
      <dd>{longDate(visit.person.birth_date)}</dd>
      <dt>{staff("code")}</dt>
      <dd>{visit.code}</dd>
    </dl>
  );
}

function Confirmed({ side, visit }: { side: IdentityProps["side"]; visit: VisitRow }) {
  const done = visit.identity[side];
  const who = staff(side === "doctor" ? "identity_confirmed_doctor" : "identity_confirmed_other");
  if (!done) {
    return (
      <span class="chip grey">
        {who}: {staff("identity_open")}
      </span>
    );
  }
  return (
    <span class="chip moss" title={staff(`identity_${done[0]}`)}>
      {who} {timeOfDay(done[1])}
    </span>
  );
}

/** 別の方です: hides the data, holds the readings back, returns the ticket. */
export function WrongPatientButton({ wire, visit }: { wire: Wire; visit: string }) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const sure = async () => {
    await press({ type: "wrong_patient", visit });
    setAsking(false);
  };
  return (
    <>
      <Button kind="quiet" onClick={() => setAsking(true)}>
        {staff("wrong_patient")}
      </Button>
      {asking && (
        <Dialog
          title={staff("wrong_patient_confirm")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy} onClick={sure}>
              {common("ok")}
            </Button>
          }
        >
          <p>{staff("wrong_patient_means")}</p>
        </Dialog>
      )}
    </>
  );
}
