// Is this you, and do you agree: two plain questions, one after the other, each asked once.

import { useState } from "preact/hooks";
import { CONSENT_VERSION, type VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, longDate } from "../words/common";
import { language } from "../words/dictionary";
import { patient } from "../words/patient";
import { Button, Card } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import { useSettled } from "../ui/settled";

interface AgreeProps {
  wire: Wire;
  visit: VisitRow;
}

export function WhoIsWho({ wire, visit }: AgreeProps) {
  const [press, busy] = usePress(wire);
  if (visit.identity.other_side) {
    return <p class="chip moss">{patient("who_done")}</p>;
  }
  if (!visit.person) return null;
  const yes = () =>
    press({
      type: "confirm_identity",
      visit: visit.visit,
      method: "asked_name_and_birth_date",
    });
  return (
    <Card title={patient("who_title")} class="asked">
      <dl class="me">
        <dt>{patient("name")}</dt>
        <dd>{visit.person.name}</dd>
        <dt>{patient("birth_date")}</dt>
        <dd>{longDate(visit.person.birth_date)}</dd>
        <dt>{patient("your_code")}</dt>
        <dd>{visit.code}</dd>
      </dl>
      <p>{patient("who_ask")}</p>
      <Button kind="primary" wide disabled={busy} onClick={yes} data-act="identity">
        {patient("who_yes")}
      </Button>
      <SomebodyElse wire={wire} visit={visit} />
    </Card>
  );
}

function SomebodyElse({ wire, visit }: AgreeProps) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const sure = async () => {
    await press({ type: "wrong_patient", visit: visit.visit });
    setAsking(false);
  };
  return (
    <>
      <Button kind="quiet" wide onClick={() => setAsking(true)}>
        {patient("who_no")}
      </Button>
      {asking && (
        <Dialog
          title={patient("who_no_confirm")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy} onClick={sure}>
              {common("ok")}
            </Button>
          }
        >
          <p>{patient("who_no_means")}</p>
        </Dialog>
      )}
    </>
  );
}

export function Consent({ wire, visit }: AgreeProps) {
  if (visit.consent) return <p class="chip moss">{patient("consent_done")}</p>;
  const asksWhoFirst = visit.person !== null && visit.identity.other_side === null;
  return asksWhoFirst ? null : <AskConsent wire={wire} visit={visit} />;
}

function AskConsent({ wire, visit }: AgreeProps) {
  const [press, busy] = usePress(wire);
  const settled = useSettled();
  const yes = () =>
    press({
      type: "consent",
      visit: visit.visit,
      version: CONSENT_VERSION,
      explained_by: visit.doctor.name,
      language: language.value,
    });
  return (
    <Card title={patient("consent_title")} class="asked">
      <ul class="points">
        <li>{patient("consent_1")}</li>
        <li>{patient("consent_2")}</li>
        <li>{patient("consent_3")}</li>
      </ul>
      <Button kind="primary" wide disabled={busy || !settled} onClick={yes} data-act="consent">
        {patient("consent_yes")}
      </Button>
    </Card>
  );
}
