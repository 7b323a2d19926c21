// The first screen: what this is, what will happen, one button.

import { useState } from "preact/hooks";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { entry } from "../words/entry";
import { Button, Choices, Field } from "../ui/controls";
import type { ComingIn, NumberKind, Trouble } from "./coming-in";

const DIGITS = 8;
/** Pressing again does not help: another link does. */
const DEAD: readonly (Trouble | undefined)[] = ["link_unknown", "link_expired", "link_revoked"];

export function Welcome({ comingIn }: { comingIn: ComingIn }) {
  const dead = DEAD.includes(comingIn.trouble.value);
  const withLink = comingIn.hasLink.value && !dead;
  const [byNumber, setByNumber] = useState(!comingIn.hasLink.value);
  return (
    <div class="stack wide-gap">
      <div class="stack hello">
        <h1>{entry("title")}</h1>
        {!dead && <p class="lead">{entry(withLink ? "welcome" : "no_link")}</p>}
      </div>
      {withLink && <Steps />}
      <Refused trouble={comingIn.trouble.value} />
      {withLink && (
        <>
          <Button
            kind="primary"
            size="big"
            wide
            disabled={comingIn.busy.value}
            onClick={() => void comingIn.join()}
            data-act="join"
          >
            {entry(comingIn.busy.value ? "joining" : "join")}
          </Button>
          <p class="soft small centre">{entry("nothing_yet")}</p>
        </>
      )}
      {byNumber ? (
        <ByNumber comingIn={comingIn} />
      ) : (
        <Button kind="quiet" wide onClick={() => setByNumber(true)}>
          {entry("have_code")}
        </Button>
      )}
      <Worse />
    </div>
  );
}

function Steps() {
  return (
    <ol class="steps">
      <li>{entry("step_join")}</li>
      <li>{entry("step_check")}</li>
      <li>{entry("step_wait")}</li>
    </ol>
  );
}

function Refused({ trouble }: { trouble: Trouble | undefined }) {
  return (
    <div role="alert">
      {trouble && (
        <div class="card stack asked">
          <p class="lead">
            {trouble === "unreachable" ? common("unreachable") : sentence(trouble)}
          </p>
          {trouble !== "unreachable" && <p>{entry("refused_call")}</p>}
        </div>
      )}
    </div>
  );
}

function ByNumber({ comingIn }: { comingIn: ComingIn }) {
  const [digits, setDigits] = useState("");
  const [kind, setKind] = useState<NumberKind>("spoken");
  const only = digits.replace(/[０-９]/g, (digit) => String("０１２３４５６７８９".indexOf(digit)));
  const clean = only.replace(/\D/g, "");
  const enter = (event: Event) => {
    event.preventDefault();
    if (clean.length === DIGITS) void comingIn.joinByNumber(kind, clean);
  };
  return (
    <form class="card stack" onSubmit={enter}>
      <Choices
        label={entry("code_kind")}
        value={kind}
        onValue={setKind}
        options={[
          { value: "spoken", text: entry("code_spoken") },
          { value: "transfer", text: entry("code_transfer") },
        ]}
      />
      <Field
        label={entry("code")}
        value={digits}
        onValue={setDigits}
        inputMode="numeric"
        autocomplete="one-time-code"
        maxLength={11}
        digits
      />
      <Button
        type="submit"
        kind="primary"
        wide
        disabled={clean.length !== DIGITS || comingIn.busy.value}
      >
        {entry("enter")}
      </Button>
    </form>
  );
}

/** A second device: somebody at the clinic looks whether it is the same person. */
export function Pending() {
  return (
    <div class="stack wide-gap">
      <h1>{entry("pending_title")}</h1>
      <p class="lead">{entry("pending")}</p>
      <p class="banner waiting" role="status">
        {entry("pending_wait")}
      </p>
      <Worse />
    </div>
  );
}

/** What to do if it gets worse, on every screen. */
export function Worse() {
  return (
    <aside class="worse stack">
      <p>{entry("worse")}</p>
      <a class="button calm wide" href="tel:119">
        {entry("call_119")}
      </a>
    </aside>
  );
}
