// The doctor calls: one button as wide as the screen.

import { patient } from "../words/patient";
import { entry } from "../words/entry";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import { CompanionNote, isCompanion } from "./companion";
import { ClinicCard, type PlaceProps } from "./waiting";

export function Called({ wire, place }: PlaceProps) {
  const [press, busy] = usePress(wire);
  const enter = () => press({ type: "answer", ticket: place.ticket, epoch: place.epoch });
  return (
    <div class="stack wide-gap">
      <section class="called stack" aria-live="assertive">
        <h1>{patient("called_title")}</h1>
        {place.doctor && (
          <p class="lead">
            <strong>{patient("called_doctor", { name: place.doctor.name })}</strong>
            <br />
            <span class="small">{place.doctor.affiliation}</span>
          </p>
        )}
        {isCompanion(wire) ? (
          <CompanionNote />
        ) : (
          <Button kind="primary" size="big" wide disabled={busy} onClick={enter} data-act="answer">
            {busy ? entry("joining") : patient("called_enter")}
          </Button>
        )}
      </section>
      <ClinicCard place={place} />
    </div>
  );
}
