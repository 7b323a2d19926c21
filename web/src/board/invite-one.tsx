// One person to invite, as a form.

import { useState } from "preact/hooks";
import { Button, Field } from "../ui/controls";
import { TRIAGES } from "../ui/signs";
import type { Person, Triage } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/board";
import { staff } from "../words/staff";
import { birthDate } from "../words/era";
import type { Send } from "./invite";
import { type Flaw, flawsOf, LENGTH_MAX } from "./people";
import { dayOf } from "./today";

interface OneProps {
  wire: Wire;
  busy: boolean;
  onSend: Send;
}

const EMPTY: Person = { name: "", kana: "", birth_date: "", call_back: "", location: "" };
const FLAW_FIELDS: Partial<Record<Flaw, keyof Person>> = {
  name_missing: "name",
  name_long: "name",
  kana_long: "kana",
  birth_date_wrong: "birth_date",
  birth_date_future: "birth_date",
  call_back_wrong: "call_back",
  location_long: "location",
};

export function InviteOne({ wire, busy, onSend }: OneProps) {
  const [person, setPerson] = useState<Person>(EMPTY);
  const [triage, setTriage] = useState<Triage>("standard");
  const [first, setFirst] = useState(false);
  const [tried, setTried] = useState(false);
  const flaws = flawsOf(person, dayOf(wire.clock.now.value));
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (flaws.length > 0) return;
    const birth_date = birthDate(person.birth_date) ?? person.birth_date;
    const call_back = person.call_back.normalize("NFKC");
    void onSend([{ person: { ...person, birth_date, call_back }, triage, first_visit: first }]);
  };
  const field = (name: keyof Person, hint?: string) => {
    const flaw = tried ? flaws.find((one) => FLAW_FIELDS[one] === name) : undefined;
    return (
      <Field
        label={staff(name)}
        hint={hint}
        value={person[name]}
        onValue={(value) => setPerson({ ...person, [name]: value })}
        wrong={flaw && t(`flaw_${flaw}`)}
        maxLength={name === "birth_date" ? 20 : LENGTH_MAX[name]}
        autocomplete="off"
      />
    );
  };
  return (
    <form class="invite-one" onSubmit={send} noValidate>
      {field("name")}
      {field("kana")}
      {field("birth_date", t("birth_date_hint"))}
      {field("call_back", t("call_back_hint"))}
      {field("location", t("location_hint"))}
      <Urgency triage={triage} onTriage={setTriage} first={first} onFirst={setFirst} />
      <Button type="submit" kind="primary" disabled={busy} data-act="issue">
        {t("issue_one")}
      </Button>
    </form>
  );
}

interface UrgencyProps {
  triage: Triage;
  onTriage(triage: Triage): void;
  first: boolean;
  onFirst(first: boolean): void;
}

function Urgency({ triage, onTriage, first, onFirst }: UrgencyProps) {
  return (
    <div class="field">
      <label for="invite-triage">{staff("triage")}</label>
      <select
        id="invite-triage"
        class="input"
        value={triage}
        onChange={(event) => onTriage(event.currentTarget.value as Triage)}
      >
        {TRIAGES.map((one) => (
          <option key={one} value={one}>
            {staff(`triage_${one}`)}
          </option>
        ))}
      </select>
      <label class="choice">
        <input
          type="checkbox"
          checked={first}
          onChange={(event) => onFirst(event.currentTarget.checked)}
        />
        {staff("first_visit")}
      </label>
    </div>
  );
}
