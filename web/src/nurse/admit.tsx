// 受付: takes a patient in at the bedside, without a link, on this tablet.

import { useState } from "preact/hooks";
import type { Person, Triage } from "../wire/types";
import type { Wire } from "../wire/wire";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { Button, Card, Choices, Field } from "../ui/controls";
import { usePress } from "../ui/press";
import { show } from "./app";
import { EMPTY, missing, tidy } from "./person";

const LEVELS: Triage[] = ["emergency", "urgent", "standard", "revisit"];

export function Admit({ wire }: { wire: Wire }) {
  const rooms = [...wire.views.rows("rooms").values()];
  const open = rooms.filter((room) => !room.intake_closed);
  const [room, setRoom] = useState<string>();
  const [person, setPerson] = useState<Person>(EMPTY);
  const [triage, setTriage] = useState<Triage>("standard");
  const [firstVisit, setFirstVisit] = useState(false);
  const [tried, setTried] = useState(false);
  const [press, busy] = usePress(wire);
  const chosen = open.find((one) => one.room === room)?.room ?? open[0]?.room;
  const lacking = missing(person);
  const admit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!chosen || lacking.size > 0) return;
    const act = { room: chosen, person: tidy(person), triage, first_visit: firstVisit };
    const outcome = await press({ type: "admit_bedside", ...act });
    if (outcome?.type !== "admitted") return;
    show({ at: "ticket", ticket: outcome.ticket });
  };
  return (
    <form onSubmit={admit} novalidate>
      <Card title={nurse("admit_title")}>
        <Back />
        {rooms.length > 1 && (
          <Choices
            label={nurse("room")}
            value={chosen}
            onValue={setRoom}
            options={open.map((one) => ({ value: one.room, text: one.name }))}
          />
        )}
        {wire.views.known("rooms") && open.length === 0 && <p>{nurse("room_none")}</p>}
        <PersonFields person={person} onPerson={setPerson} lacking={tried ? lacking : new Set()} />
        <Choices
          label={staff("triage")}
          value={triage}
          onValue={setTriage}
          options={LEVELS.map((level) => ({ value: level, text: staff(`triage_${level}`) }))}
        />
        <label class="choice">
          <input
            type="checkbox"
            checked={firstVisit}
            onChange={(event) => setFirstVisit(event.currentTarget.checked)}
          />
          {staff("first_visit")}
        </label>
        <Button type="submit" kind="primary" size="big" wide disabled={busy || !chosen} data-act="admit-do">
          {nurse("admit_do")}
        </Button>
      </Card>
    </form>
  );
}

/** On a narrow screen the list and the patient are two pages. */
export function Back() {
  return (
    <span class="only-narrow">
      <Button kind="quiet" onClick={() => show({ at: "nothing" })}>
        ‹ {nurse("back_to_list")}
      </Button>
    </span>
  );
}

interface FieldsProps {
  person: Person;
  onPerson(person: Person): void;
  lacking: ReadonlySet<keyof Person>;
}

export function PersonFields({ person, onPerson, lacking }: FieldsProps) {
  const field = (key: keyof Person) => ({
    value: person[key],
    onValue: (value: string) => onPerson({ ...person, [key]: value }),
    wrong: lacking.has(key) ? nurse("required") : undefined,
    name: key,
  });
  return (
    <div class="person-fields">
      <Field label={staff("name")} {...field("name")} maxLength={80} autocomplete="off" />
      <Field label={staff("kana")} {...field("kana")} maxLength={80} autocomplete="off" />
      <Field
        label={staff("birth_date")}
        hint={nurse("birth_hint")}
        {...field("birth_date")}
        autocomplete="off"
      />
      <Field
        label={staff("call_back")}
        hint={nurse("call_back_hint")}
        {...field("call_back")}
        type="tel"
        maxLength={30}
        autocomplete="off"
      />
      <Field
        label={staff("location")}
        hint={nurse("location_hint")}
        {...field("location")}
        maxLength={120}
        autocomplete="off"
      />
    </div>
  );
}
