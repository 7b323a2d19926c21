// This screen's session is over: whether the place went to another browser, and what to do now.

import type { Code, PlaceRow } from "../wire/types";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { entry } from "../words/entry";
import { patient } from "../words/patient";
import { Button } from "../ui/controls";
import { handedOver } from "./other-browser";
import { ClinicCard } from "./waiting";
import { Worse } from "./welcome";

interface GoodbyeProps {
  code: Code;
  /** What was last shown: whom to telephone stands there. */
  place: PlaceRow | undefined;
}

export function Goodbye({ code, place }: GoodbyeProps) {
  // A patient has nothing to sign in with: for the broker a place that moved is a session closed.
  const closed = code === "sign_in_first";
  if (closed && handedOver.value) return <Moved place={place} />;
  // Only this page is of no use any more: opened anew, it finds its place.
  const stumbled = code === "not_understood" || code === "version_unknown";
  return (
    <div class="stack wide-gap">
      <h1>{patient(stumbled ? "bye_reload_title" : "bye_title")}</h1>
      <p class="lead">{closed ? patient("bye_closed") : sentence(code)}</p>
      {stumbled && <p class="lead">{patient("bye_kept")}</p>}
      <Button kind="primary" wide onClick={() => location.reload()}>
        {common("reload")}
      </Button>
      {place ? <ClinicCard place={place} /> : <p>{entry("refused_call")}</p>}
      <Worse />
    </div>
  );
}

/** A number from this screen was used: the place is there now and does not come back here. */
function Moved({ place }: { place: PlaceRow | undefined }) {
  return (
    <div class="stack wide-gap">
      <section class="card stack" aria-live="polite">
        <h1>{patient("moved_title")}</h1>
        <p class="lead">{patient("moved")}</p>
        <p>{patient("moved_close")}</p>
        <p class="small own-code">
          {place && (
            <>
              {patient("your_code")} <strong>{place.code}</strong>
            </>
          )}
        </p>
      </section>
      <section class="card stack asked">
        <h2>{patient("moved_not_you_title")}</h2>
        <p>{patient("moved_not_you")}</p>
      </section>
      {place && <ClinicCard place={place} />}
      <Worse />
    </div>
  );
}
