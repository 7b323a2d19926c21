// A waiting patient's own data: opened only after a word, because the opening is written down.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import type { Person, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, longDate } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";

interface OpenProps {
  wire: Wire;
  ticket: TicketRow;
  onClose(): void;
}

export function OpenPerson({ wire, ticket, onClose }: OpenProps) {
  const [person, setPerson] = useState<Person | undefined>();
  const [press, busy] = usePress(wire);
  const open = async () => {
    const outcome = await press({ type: "open_person", ticket: ticket.ticket });
    if (outcome?.type === "person_opened") setPerson(outcome.person);
  };
  if (person) {
    return (
      <Dialog
        title={t("person_of", { code: ticket.code })}
        onClose={onClose}
        cancel={common("close")}
      >
        <PersonFacts person={person} />
        {ticket.first_visit && <p class="banner">{staff("first_visit_limits")}</p>}
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t("open_person_confirm", { code: ticket.code })}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={busy} onClick={open}>
          {t("open_person_yes")}
        </Button>
      }
    >
      <p>{t("open_person_written")}</p>
    </Dialog>
  );
}

export function PersonFacts({ person }: { person: Person }) {
  return (
    <dl class="facts">
      <dt>{staff("name")}</dt>
      <dd>
        {person.name} <span class="soft small">{person.kana}</span>
      </dd>
      <dt>{staff("birth_date")}</dt>
      <dd>{longDate(person.birth_date)}</dd>
      <dt>{staff("call_back")}</dt>
      <dd>{person.call_back || common("unknown")}</dd>
      <dt>{staff("location")}</dt>
      <dd>{person.location || common("unknown")}</dd>
    </dl>
  );
}
