// 手で入力: numbers that the nurse read from a display, counted or felt. First class: they stand
// beside a device's, and a press is kept until there is a link.

import { signal } from "@preact/signals";
import { useId, useState } from "preact/hooks";
import type { Act, ReadingRow } from "../wire/types";
import { follow } from "../wire/photo";
import { lastTime, type Typed, type TypedTexts, textsOf, typedForm } from "../wire/typed";
import { isRunning, isUnderWay, isWithdrawn, measuredAt } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { typedBy, valuesOf } from "../words/marks";
import { nurse } from "../words/nurse";
import { quantityName, staff } from "../words/staff";
import { ReasonField, Withdraw } from "../ui/checking";
import { Button, Card, Choices } from "../ui/controls";
import { usePress } from "../ui/press";
import { PhotoField, PhotosUnderWay } from "../ui/photo-field";
import { Photos } from "../ui/photos";
import { TypedFields } from "../ui/typed-fields";
import type { TicketProps } from "./ticket";

/** Which value is being corrected, and of whom. */
const correcting = signal<{ ticket: string; row: ReadingRow } | undefined>(undefined);

/** A value is wrong: the card opens with what was there. */
export function correct(ticket: string, row: ReadingRow): void {
  correcting.value = { ticket, row };
  requestAnimationFrame(() => document.querySelector(".typing")?.scrollIntoView({ block: "center" }));
}

const NONE_WRONG: ReadonlySet<Typed> = new Set();
/** Values that are told again, newest first, so that one may be corrected. */
const LISTED = 6;

export function Typing({ wire, row }: TicketProps) {
  const [open, setOpen] = useState(false);
  const wrong = correcting.value?.ticket === row.ticket ? correcting.value.row : undefined;
  const close = () => {
    setOpen(false);
    correcting.value = undefined;
  };
  return (
    <Card title={nurse("typing")} class="typing">
      {open || wrong ? (
        <Form key={wrong?.outcome.id ?? "new"} wire={wire} row={row} wrong={wrong} onDone={close} />
      ) : (
        <div class="row typing-closed">
          <span class="soft">{nurse("typing_means")}</span>
          <Button onClick={() => setOpen(true)} data-act="type-values">
            {nurse("typing_open")}
          </Button>
        </div>
      )}
      <Unsent wire={wire} ticket={row.ticket} />
      <PhotosUnderWay ticket={row.ticket} />
      <Told wire={wire} row={row} />
    </Card>
  );
}

interface FormProps extends TicketProps {
  /** The value that this one replaces. */
  wrong: ReadingRow | undefined;
  onDone(): void;
}

function Form({ wire, row, wrong, onDone }: FormProps) {
  const [texts, setTexts] = useState<TypedTexts>(wrong ? textsOf(wrong) : {});
  const [tried, setTried] = useState(false);
  const [when, setWhen] = useState<"now" | "then">("now");
  const [time, setTime] = useState("");
  const [reason, setReason] = useState("");
  const [photo, setPhoto] = useState<Blob | undefined>();
  const [press] = usePress(wire);
  const form = typedForm(texts);
  const now = wire.clock.read();
  // A correction speaks of the moment when the wrong one was measured.
  const at = wrong ? measuredAt(wrong) : when === "now" ? now : lastTime(time, now);
  const ready = form.state === "ready" && at !== undefined && (!wrong || reason.trim() !== "");
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!ready) return;
    const corrects = wrong?.outcome.id ?? null;
    // The time is said in any case: a press that waits for a link is older when it arrives.
    const said = { values: form.values, measured_at: at, corrects, reason: reason.trim() };
    const entered = press({ type: "enter_reading", ticket: row.ticket, ...said }, { mayWait: true });
    if (photo) follow(row.ticket, photo, entered);
    onDone();
  };
  return (
    <form class="stack" onSubmit={send} novalidate>
      {wrong && <p class="banner">{nurse("typing_corrects", { value: valuesOf(wrong) })}</p>}
      <TypedFields
        texts={texts}
        onTexts={setTexts}
        wrong={tried && form.state === "wrong" ? form.fields : NONE_WRONG}
        wrongWords={nurse("typing_wrong")}
        nameOf={typedName}
      />
      {tried && form.state === "empty" && <p role="alert">{nurse("typing_empty")}</p>}
      {wrong ? (
        <ReasonField
          value={reason}
          onValue={setReason}
          ready={[staff("reason_typed"), staff("reason_measured")]}
        />
      ) : (
        <When when={when} onWhen={setWhen} time={time} onTime={setTime} at={at} now={now} />
      )}
      <PhotoField photo={photo} onPhoto={setPhoto} />
      <div class="row">
        <Button kind="quiet" onClick={onDone}>
          {common("cancel")}
        </Button>
        <Button type="submit" kind="primary" size="big" data-act="enter-reading">
          {nurse("typing_do")}
        </Button>
      </div>
      {tried && wrong && !reason.trim() && <p role="alert">{nurse("typing_reason")}</p>}
    </form>
  );
}

/** Both pressures are called by the pressure they are. */
function typedName(what: Typed): string {
  if (what === "systolic") return nurse("typing_systolic");
  if (what === "diastolic") return nurse("typing_diastolic");
  return quantityName(what);
}

interface WhenProps {
  when: "now" | "then";
  onWhen(when: "now" | "then"): void;
  time: string;
  onTime(time: string): void;
  at: number | undefined;
  now: number;
}

function When({ when, onWhen, time, onTime, at, now }: WhenProps) {
  const id = useId();
  const yesterday = at !== undefined && new Date(at).getDate() !== new Date(now).getDate();
  return (
    <>
      <Choices
        label={nurse("typing_when")}
        value={when}
        onValue={onWhen}
        options={[
          { value: "now", text: nurse("typing_now") },
          { value: "then", text: nurse("typing_then") },
        ]}
      />
      {when === "then" && (
        <div class="field">
          <label for={id}>{nurse("typing_time")}</label>
          <input
            id={id}
            type="time"
            name="measured-at"
            value={time}
            onInput={(event) => onTime(event.currentTarget.value)}
          />
          {at !== undefined && (
            <span class="hint" role="status">
              {nurse(yesterday ? "typing_yesterday" : "typing_today", { time: timeOfDay(at) })}
            </span>
          )}
        </div>
      )}
    </>
  );
}

type Entering = Extract<Act, { type: "enter_reading" }>;

/** What was typed and has not left this tablet yet. */
function Unsent({ wire, ticket }: { wire: Wire; ticket: string }) {
  const unsent = wire.acts.pending.value.filter(
    ({ act, sent }) => act.type === "enter_reading" && act.ticket === ticket && !sent,
  );
  if (unsent.length === 0) return null;
  return (
    <ul class="stack" aria-live="polite">
      {unsent.map(({ key, act }) => (
        <li key={key} class="row">
          <span class="chip lamp">{common("unsent")}</span>
          {(act as Entering).values.map(({ value, unit }) => `${value} ${unit}`).join("　")}
        </li>
      ))}
    </ul>
  );
}

/** A running device's value is followed by the next one a second later. */
function isOnce(row: ReadingRow): boolean {
  const { outcome } = row;
  return outcome.type === "reading" && !isRunning(outcome.device.kind) && !isUnderWay(row);
}

/** What was typed, or measured once: each may be corrected or withdrawn. */
function Told({ wire, row }: TicketProps) {
  const rows = row.subject ? wire.readings.rows(row.subject) : [];
  const once = rows
    .filter((one) => isOnce(one) && !isWithdrawn(one) && !one.quarantined && !wire.readings.isBeside(one))
    .slice(-LISTED)
    .reverse();
  if (once.length === 0) return null;
  return (
    <details class="fold">
      <summary>{nurse("typing_told", { n: once.length })}</summary>
      <ul class="stack">
        {once.map((one) => (
          <li key={one.seq} class="row typed-row" data-reading={one.outcome.id}>
            <span>
              <span class="small soft">{timeOfDay(measuredAt(one))}</span> {valuesOf(one)}{" "}
              <span class="small soft">{typedBy(one, wire.you.value) ?? one.outcome.device.model}</span>
            </span>
            <span class="push row">
              <Photos row={one} />
              <Button data-act="correct-reading" onClick={() => correct(row.ticket, one)}>
                {staff("check_correct")}
              </Button>
              <Withdraw wire={wire} ticket={row.ticket} row={one} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
