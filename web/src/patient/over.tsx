// Between and after: interrupted, ended, left. Each says what to do now.

import type { PlaceRow } from "../wire/types";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { isCompanion } from "./companion";
import { Harbour } from "./harbour";
import { ClinicCard, LeaveButton, type PlaceProps } from "./waiting";
import { Worse } from "./welcome";

export function Parked({ wire, place }: PlaceProps) {
  return (
    <div class="stack wide-gap">
      <section class="card queue" aria-live="polite">
        <Harbour ahead={0} />
        <h1>{patient("parked_title")}</h1>
        <p class="lead">{patient("parked")}</p>
        <p class="small own-code">
          {patient("your_code")} <strong>{place.code}</strong>
        </p>
      </section>
      <ClinicCard place={place} />
      <Worse />
      {!isCompanion(wire) && !wire.you.value?.kit && <LeaveButton wire={wire} place={place} />}
    </div>
  );
}

export function Ended({ place }: { place: PlaceRow }) {
  return (
    <div class="stack wide-gap">
      <section class="card stack" aria-live="polite">
        <h1>{patient("ended_title")}</h1>
        {place.disposition && <p class="lead">{patient(`ended_${place.disposition}`)}</p>}
        {place.note && (
          <div class="note">
            <h2>{patient("ended_note")}</h2>
            <p class="lead">{place.note}</p>
          </div>
        )}
        <p class="soft">{patient("ended_close")}</p>
      </section>
      <ClinicCard place={place} />
      <Worse />
    </div>
  );
}

export function Left({ place }: { place: PlaceRow }) {
  const lapsed = place.why === "grace_over";
  return (
    <div class="stack wide-gap">
      <section class="card stack" aria-live="polite">
        <h1>{lapsed ? common("product") : patient("left_title")}</h1>
        <p class="lead">{patient(lapsed ? "left_lapsed" : "left")}</p>
      </section>
      <ClinicCard place={place} />
      <Worse />
    </div>
  );
}
