// 急変: one press and a confirm; what everybody needs to know stands at once, link or no link.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { EmergencyCard } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { staff } from "../words/staff";
import { Button } from "./controls";
import { Dialog } from "./dialog";
import { told } from "./press";

/** Tickets for which 急変 was pressed here and is not on the broker's view yet. */
const pressed = signal<ReadonlyMap<string, number>>(new Map());

/** Since when 急変 is on for a ticket, by the broker or by a press on this screen. */
export function emergencySince(ticket: string, told: number | null | undefined): number | undefined {
  return told ?? pressed.value.get(ticket);
}

interface ButtonProps {
  wire: Wire;
  ticket: string;
}

export function EmergencyButton({ wire, ticket }: ButtonProps) {
  const [asking, setAsking] = useState(false);
  const raise = () => {
    setAsking(false);
    pressed.value = new Map(pressed.value).set(ticket, wire.clock.read());
    // It waits for a link as long as it takes; the card with the numbers is there already.
    void wire.act({ type: "raise_emergency", ticket }, { mayWait: true }).then((answer) => {
      if (answer.type === "done") return;
      told(answer);
      const left = new Map(pressed.value);
      left.delete(ticket);
      pressed.value = left;
    });
  };
  return (
    <>
      <Button kind="alarm" onClick={() => setAsking(true)} data-act="emergency">
        {staff("emergency")}
      </Button>
      {asking && (
        <Dialog
          title={staff("emergency_confirm")}
          onClose={() => setAsking(false)}
          actions={
            <button type="button" class="button alarm sure" onClick={raise}>
              {staff("emergency_raise")}
            </button>
          }
        />
      )}
    </>
  );
}

interface FactsProps {
  wire: Wire;
  ticket: string;
  since: number;
  /** From the visit if there is one, else from what this screen last knew. */
  facts: Partial<Omit<EmergencyCard, "since">>;
}

/** Where the patient is, whom to telephone; and whether the broker knows already. */
export function EmergencyFacts({ wire, ticket, since, facts }: FactsProps) {
  const unsent = wire.acts.pending.value.some(
    ({ act }) => act.type === "raise_emergency" && act.ticket === ticket,
  );
  return (
    <section class="card stack emergency-card" aria-live="assertive">
      <div class="row">
        <h2>{staff("emergency_since", { time: timeOfDay(since) })}</h2>
        {unsent && <span class="chip lamp push">{common("unsent")}</span>}
      </div>
      <a class="button alarm sure wide" href="tel:119">
        {staff("emergency_call")}
      </a>
      <dl class="facts">
        <dt>{staff("location")}</dt>
        <dd>{facts.location || common("unknown")}</dd>
        <dt>{staff("call_back")}</dt>
        <dd>
          <Telephone number={facts.call_back} />
        </dd>
        <dt>{staff("hospital")}</dt>
        <dd>{facts.hospital || wire.you.value?.hospital || staff("hospital_unknown")}</dd>
      </dl>
    </section>
  );
}

function Telephone({ number }: { number: string | undefined }) {
  if (!number) return <>{common("unknown")}</>;
  return (
    <a class="button calm" href={`tel:${number.replace(/[^\d+]/g, "")}`}>
      {number}
    </a>
  );
}
