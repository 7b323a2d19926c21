// Who is who, before anything about this person is used.

import { useState } from "preact/hooks";
import { Button, Choices, Field } from "../ui/controls";
import { Owed } from "../ui/owed";
import { usePress } from "../ui/press";
import type { IdentityMethod, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { longDate, timeOfDay } from "../words/common";
import { ageOn } from "../words/age";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { lacking } from "./identity";

/** A doctor far away asks or is shown a card; "known in person" is the nurse's to say. */
const METHODS: readonly IdentityMethod[] = ["asked_name_and_birth_date", "card_shown"];

/** What is waited for, by whose word is lacking. */
const NEXT = {
  both: "gate_after",
  doctor: "gate_wait_mine",
  other_side: "gate_wait_other",
} as const;

export function Gate({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  if (visit.quarantined || !visit.person) {
    return (
      <section class="gate card stack">
        <p class="banner lamp">{t("quarantined")}</p>
      </section>
    );
  }
  return (
    <Owed after="identity_first" label={t("gate")} class="gate card stack">
      <h2>{t("gate")}</h2>
      <Asked wire={wire} visit={visit} />
      <Confirm wire={wire} visit={visit} />
      <Sides visit={visit} />
      <p class="soft small">{t(NEXT[lacking(visit) ?? "both"])}</p>
      <Spoken wire={wire} visit={visit} />
      <Defer wire={wire} visit={visit} />
    </Owed>
  );
}

function Asked({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  if (!visit.person) return null;
  const { name, kana, birth_date } = visit.person;
  const today = new Date(wire.clock.now.value).toISOString().slice(0, 10);
  return (
    <>
      <p>{t("gate_how")}</p>
      <dl class="who-is-who">
        <div>
          <dt>{staff("name")}</dt>
          <dd>
            {name}
            <span class="kana">{kana}</span>
          </dd>
        </div>
        <div>
          <dt>{staff("birth_date")}</dt>
          <dd>
            {longDate(birth_date)}
            <span class="kana">{t("years", { n: ageOn(birth_date, today) })}</span>
          </dd>
        </div>
        <div>
          <dt>{staff("code")}</dt>
          <dd class="code">{visit.code}</dd>
        </div>
      </dl>
    </>
  );
}

/** Confirms for the doctor's side; nothing is chosen beforehand, so that choosing means something. */
export function Confirm({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const [method, setMethod] = useState<IdentityMethod | undefined>();
  const [press, busy] = usePress(wire);
  if (visit.identity.doctor) return null;
  const confirm = () => {
    if (method) void press({ type: "confirm_identity", visit: visit.visit, method });
  };
  return (
    <>
      <Choices
        label={t("gate_method")}
        options={METHODS.map((value) => ({ value, text: staff(`identity_${value}`) }))}
        value={method}
        onValue={(value) => setMethod(value)}
      />
      <Button
        kind="primary"
        data-act="confirm-identity"
        disabled={!method || busy}
        onClick={confirm}
      >
        {t("gate_same")}
      </Button>
    </>
  );
}

/** Nobody can press it on the patient's side: what was said aloud is written down for that side. */
export function Spoken({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const [press, busy] = usePress(wire);
  // The doctor has compared first; then the answer heard means something.
  if (lacking(visit) !== "other_side") return null;
  const record = () =>
    press({ type: "confirm_identity", visit: visit.visit, method: "spoken" });
  return (
    <div class="stack">
      <p class="small">{t("gate_spoken_how")}</p>
      <Button disabled={busy} onClick={() => void record()} data-act="identity-spoken">
        {t("gate_spoken")}
      </Button>
    </div>
  );
}

function Sides({ visit }: { visit: VisitRow }) {
  const sides = [
    { name: t("gate_mine"), done: visit.identity.doctor },
    { name: t("gate_other"), done: visit.identity.other_side },
  ];
  return (
    <ul class="sides" aria-live="polite">
      {sides.map(({ name, done }) => (
        <li key={name} class={done ? "side done" : "side"}>
          <b>{name}</b>
          <span>
            {done ? `${staff(`identity_${done[0]}`)} ${timeOfDay(done[1])}` : t("gate_waiting")}
          </span>
        </li>
      ))}
      <li class={visit.consent ? "side done" : "side"}>
        <b>{staff("consent")}</b>
        <span>{visit.consent ? timeOfDay(visit.consent[1]) : t("gate_waiting")}</span>
      </li>
    </ul>
  );
}

function Defer({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  return (
    <details class="defer">
      <summary>{t("gate_defer")}</summary>
      <DeferForm wire={wire} visit={visit} />
    </details>
  );
}

/** Goes on with a reason: identity and consent are then made good later. */
export function DeferForm({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const [reason, setReason] = useState("");
  const [press, busy] = usePress(wire);
  const defer = (event: Event) => {
    event.preventDefault();
    void press({ type: "defer", visit: visit.visit, reason: reason.trim() });
  };
  return (
    <form class="stack" onSubmit={defer}>
      <Field
        label={t("gate_defer_reason")}
        hint={t("gate_defer_hint")}
        value={reason}
        onValue={setReason}
        maxLength={200}
        required
      />
      <Button type="submit" disabled={busy || reason.trim() === ""} data-act="defer">
        {t("gate_defer_do")}
      </Button>
    </form>
  );
}
