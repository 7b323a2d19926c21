// The visit on the nurse's tablet: what is still owed first, then faces, values with the devices
// that bring them, orders with 復唱, who is who, chat.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { CONSENT_VERSION, type OrderRow, type TicketRow, type VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { language } from "../words/dictionary";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { stayAwake } from "../ui/awake";
import { Banner } from "../ui/banner";
import { Chat } from "../ui/chat";
import { Button, Card } from "../ui/controls";
import { IdentityCard } from "../ui/identity";
import { Owed } from "../ui/owed";
import { Parties } from "../ui/parties";
import { usePress } from "../ui/press";
import { useSettled } from "../ui/settled";
import { Auscultate } from "./auscultation";

const room = signal<typeof import("../call/room") | undefined>(undefined);

interface VisitProps {
  wire: Wire;
  row: TicketRow;
  visit: VisitRow;
}

export function VisitPanel({ wire, row, visit, vitals }: VisitProps & { vitals: ComponentChildren }) {
  useEffect(() => {
    void import("../call/room").then((loaded) => {
      room.value = loaded;
    });
  }, []);
  useEffect(stayAwake, []);
  const sure = visit.identity.other_side !== null;
  return (
    <section class="stack visit-panel">
      <div class="row">
        <h2>{nurse("in_visit", { name: visit.doctor.name })}</h2>
        <DoctorAway wire={wire} row={row} visit={visit} />
      </div>
      {(!sure || !visit.consent) && (
        <div class="steps-owed">
          {!sure && <IdentityCard wire={wire} visit={visit} side="other_side" />}
          {!visit.consent && <Consent key={`${sure}`} wire={wire} visit={visit} />}
        </div>
      )}
      {room.value && (
        <room.value.CallRoom wire={wire} visit={visit} staff more={(call) => <Auscultate call={call} />} />
      )}
      {vitals}
      {visit.audio_only && <Banner>{common("audio_only")}</Banner>}
      <Orders wire={wire} visit={visit} />
      <Parties visit={visit} />
      {sure && <IdentityCard wire={wire} visit={visit} side="other_side" />}
      {visit.consent && (
        <p class="chip moss">
          {staff("consent_given")} {timeOfDay(visit.consent[1])}
        </p>
      )}
      <Card title={common("chat")}>
        <Chat wire={wire} visit={visit.visit} role="nurse" />
      </Card>
      <OrdersOpen visit={visit} />
    </section>
  );
}

/** At the foot of the screen while an order waits: nothing else moves when one comes. */
function OrdersOpen({ visit }: { visit: VisitRow }) {
  const open = visit.orders.filter((order) => order.done === null).length;
  const see = () =>
    document.querySelector(".order:not(.done)")?.scrollIntoView({ block: "center" });
  return (
    <div class="orders-open" role="status">
      {open > 0 && (
        <Button kind="lamp" wide onClick={see} data-act="see-orders">
          {nurse("orders_todo", { n: open })} ↓
        </Button>
      )}
    </div>
  );
}

function DoctorAway({ wire, row, visit }: VisitProps) {
  const [press, busy] = usePress(wire);
  const [told, setTold] = useState(false);
  const away = !visit.parties.some((party) => party.role === "doctor" && party.present);
  const silent = async () => {
    const act = { type: "doctor_silent" as const, ticket: row.ticket };
    if (await press(act, { mayWait: true })) setTold(true);
  };
  return (
    <div class="row push" role="status">
      {away && <span class="chip lamp">{nurse("doctor_away")}</span>}
      {told && <span class="chip moss">{nurse("silent_told")}</span>}
      <Button disabled={busy || told} onClick={silent}>
        {staff("doctor_silent")}
      </Button>
    </div>
  );
}

function Orders({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  return (
    <Card title={staff("orders")}>
      {visit.orders.length === 0 && <p class="soft">{staff("order_none")}</p>}
      <ol class="stack orders">
        {visit.orders.map((order) => (
          <li key={order.order} class={order.done ? "order done" : "order"} data-order={order.order}>
            <Order wire={wire} visit={visit.visit} order={order} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Order({ wire, visit, order }: { wire: Wire; visit: string; order: OrderRow }) {
  const [press] = usePress(wire);
  const flying = wire.acts.pending.value.find(
    ({ act }) =>
      (act.type === "read_back" || act.type === "order_done") &&
      act.visit === visit &&
      act.order === order.order,
  );
  const at = { visit, order: order.order };
  return (
    <>
      <p class="text">
        <span class="small soft">{timeOfDay(order.at)}</span> {order.text}
      </p>
      <div class="row">
        {order.read_back && (
          <span class="chip moss">
            {staff("order_read_back")} {timeOfDay(order.read_back)}
          </span>
        )}
        {order.done && (
          <span class="chip moss">
            {staff("order_done")} {timeOfDay(order.done)}
          </span>
        )}
        {flying && !flying.sent && <span class="chip lamp">{common("unsent")}</span>}
      </div>
      {!order.read_back && (
        <>
          <p class="small">{nurse("read_back_hint")}</p>
          <Button
            kind="primary"
            wide
            disabled={flying !== undefined}
            data-act="read-back"
            onClick={() => void press({ type: "read_back", ...at }, { mayWait: true })}
          >
            {staff("order_read_back")}
          </Button>
        </>
      )}
      {order.read_back && !order.done && (
        <Button
          kind="primary"
          wide
          disabled={flying !== undefined}
          data-act="order-done"
          onClick={() => void press({ type: "order_done", ...at }, { mayWait: true })}
        >
          {staff("order_done")}
        </Button>
      )}
    </>
  );
}

/** Asked once, before the doctor may give orders; the patient may also answer on the own side. */
function Consent({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const [press, busy] = usePress(wire);
  const settled = useSettled();
  const explainedBy = wire.you.value?.name ?? "";
  const take = () =>
    press({
      type: "consent",
      visit: visit.visit,
      version: CONSENT_VERSION,
      explained_by: explainedBy,
      language: language.value,
    });
  if (visit.quarantined) return null;
  return (
    <Owed after="consent_first" label={staff("consent")} class="card stack">
      <h2>{staff("consent")}</h2>
      <p>{nurse("consent_text")}</p>
      <Button kind="primary" wide disabled={busy || !settled} data-act="consent" onClick={() => void take()}>
        {nurse("consent_take")}
      </Button>
    </Owed>
  );
}
