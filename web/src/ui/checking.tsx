// A value that waits: outside what a living person shows, so somebody looks again before it counts.

import { useState } from "preact/hooks";
import type { ReadingRow } from "../wire/types";
import { figureOf, figuresOf, type Source, type Vital } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { ago, common } from "../words/common";
import { valuesOf } from "../words/marks";
import { staff } from "../words/staff";
import { Button, Field } from "./controls";
import { Dialog } from "./dialog";
import { usePress } from "./press";

/** The broker takes no longer one. */
export const REASON_CHARS_MAX = 80;

interface WaitsProps {
  wire: Wire;
  ticket: string;
  vital: Vital;
  source: Source;
  /** A nurse may type what it should have been. */
  onCorrect?: ((row: ReadingRow) => void) | undefined;
}

/** Under a tile's own value: which value waits, and what may be done about it. */
export function Waits({ wire, ticket, vital, source, onCorrect }: WaitsProps) {
  const { row, ageMs } = source;
  const figure = figureOf(figuresOf(row), vital);
  const value = figure ? `${figure.text} ${figure.unit}` : valuesOf(row);
  return (
    <div class="waits" data-waits={vital}>
      <span class="remark">
        {staff("waits", { value })} <span class="age">{ago(ageMs)}</span>
      </span>
      {/* What the broker has not, nobody can confirm there yet. */}
      {!wire.readings.isBeside(row) && (
        <CheckButtons wire={wire} ticket={ticket} row={row} onCorrect={onCorrect} />
      )}
    </div>
  );
}

interface CheckProps extends Omit<WaitsProps, "vital" | "source"> {
  row: ReadingRow;
}

export function CheckButtons({ wire, ticket, row, onCorrect }: CheckProps) {
  const [press] = usePress(wire);
  const reading = row.outcome.id;
  const flying = isBeingChecked(wire, reading);
  const unsent = wire.link.value.state !== "connected";
  return (
    <span class="row">
      <Button
        kind="primary"
        disabled={flying}
        data-act="confirm-reading"
        onClick={() => void press({ type: "confirm_reading", ticket, reading }, { mayWait: true })}
      >
        {staff("check_confirm")}
      </Button>
      <Withdraw wire={wire} ticket={ticket} row={row} />
      {onCorrect && (
        <Button disabled={flying} data-act="correct-reading" onClick={() => onCorrect(row)}>
          {staff("check_correct")}
        </Button>
      )}
      {flying && unsent && <span class="chip lamp">{common("unsent")}</span>}
    </span>
  );
}

/** A press about this reading has no answer yet. */
function isBeingChecked(wire: Wire, reading: string): boolean {
  return wire.acts.pending.value.some(
    ({ act }) =>
      (act.type === "confirm_reading" || act.type === "withdraw_reading") && act.reading === reading,
  );
}

/** Takes a value out of account, with the reason; it stays in the record. */
export function Withdraw({ wire, ticket, row }: Omit<CheckProps, "onCorrect">) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [press] = usePress(wire);
  const reading = row.outcome.id;
  const close = () => {
    setAsking(false);
    setReason("");
  };
  const withdraw = () => {
    void press({ type: "withdraw_reading", ticket, reading, reason: reason.trim() }, { mayWait: true });
    close();
  };
  return (
    <>
      <Button
        disabled={isBeingChecked(wire, reading)}
        data-act="withdraw-reading"
        onClick={() => setAsking(true)}
      >
        {staff("check_withdraw")}
      </Button>
      {asking && (
        <Dialog
          title={staff("withdraw_title", { value: valuesOf(row) })}
          onClose={close}
          actions={
            <Button kind="primary" disabled={!reason.trim()} data-act="withdraw-do" onClick={withdraw}>
              {staff("check_withdraw")}
            </Button>
          }
        >
          <p>{staff("withdraw_means")}</p>
          <ReasonField
            value={reason}
            onValue={setReason}
            ready={[staff("reason_measured"), staff("reason_person"), staff("reason_typed")]}
          />
        </Dialog>
      )}
    </>
  );
}

interface ReasonProps {
  value: string;
  onValue(value: string): void;
  /** Reasons that need one press. */
  ready: readonly string[];
}

/** Why: one press for the usual reasons, or words of one's own. */
export function ReasonField({ value, onValue, ready }: ReasonProps) {
  return (
    <>
      <div class="row">
        {ready.map((reason) => (
          <Button key={reason} aria-pressed={value === reason} onClick={() => onValue(reason)}>
            {reason}
          </Button>
        ))}
      </div>
      <Field
        label={staff("reason")}
        value={value}
        onValue={onValue}
        maxLength={REASON_CHARS_MAX}
        autocomplete="off"
        name="reason"
      />
    </>
  );
}
