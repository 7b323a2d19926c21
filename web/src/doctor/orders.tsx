// Orders to the nurse: written here, read back and done there, each step with its time.

import { useRef, useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import type { OrderRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { isConsentOwed } from "./identity";
import { useAltKey } from "./keys";

/** Longest order, in characters. */
const ORDER_CHARS_MAX = 500;

interface OrdersProps {
  wire: Wire;
  visit: VisitRow;
  settled: boolean;
}

export function Orders({ wire, visit, settled }: OrdersProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useAltKey("KeyO", () => field.current?.focus());
  const unsent = wire.acts.pending.value.flatMap(({ key, act }) =>
    act.type === "write_order" && act.visit === visit.visit ? [{ key, text: act.text }] : [],
  );
  const owed = isConsentOwed(visit);
  const none = !settled ? t("order_identity") : owed ? t("order_consent") : staff("order_none");
  return (
    <section class="orders" aria-label={t("orders")}>
      <h2>{t("orders")}</h2>
      <ol
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
        tabIndex={0}
        aria-label={t("orders")}
      >
        {visit.orders.map((order) => (
          <Order key={order.order} order={order} />
        ))}
        {unsent.map((order) => (
          <li key={order.key} class="order unsent">
            <p>{order.text}</p>
            <span class="chip lamp">{common("unsent")}</span>
          </li>
        ))}
        {visit.orders.length + unsent.length === 0 && (
          <li class="soft small">{none}</li>
        )}
      </ol>
      {settled && !owed && <Write wire={wire} visit={visit.visit} field={field} />}
    </section>
  );
}

function Order({ order }: { order: OrderRow }) {
  const steps = [
    { name: t("order_written"), at: order.at },
    { name: t("order_read"), at: order.read_back },
    { name: t("order_done"), at: order.done },
  ];
  return (
    <li class={order.done ? "order done" : "order"} data-order={order.order}>
      <p>
        <b class="order-number">{order.order}</b> {order.text}
      </p>
      <ol class="steps">
        {steps.map(({ name, at }) => (
          <li key={name} class={at === null ? "step" : "step reached"}>
            {name} {at !== null && timeOfDay(at)}
          </li>
        ))}
      </ol>
    </li>
  );
}

interface WriteProps {
  wire: Wire;
  visit: string;
  field: { current: HTMLTextAreaElement | null };
}

function Write({ wire, visit, field }: WriteProps) {
  const [text, setText] = useState("");
  const [press, busy] = usePress(wire);
  const write = async () => {
    const order = text.trim();
    if (!order || busy) return;
    setText("");
    const outcome = await press({ type: "write_order", visit, text: order });
    // What was not taken stands in the field again: nobody has to write it twice.
    if (!outcome) setText((now) => now || order);
  };
  return (
    <form
      class="write"
      onSubmit={(event) => {
        event.preventDefault();
        void write();
      }}
    >
      <textarea
        ref={field}
        class="input"
        rows={2}
        aria-label={t("order_write")}
        aria-keyshortcuts="Alt+O"
        placeholder={t("order_write_hint")}
        maxLength={ORDER_CHARS_MAX}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void write();
        }}
      />
      <Button type="submit" kind="primary" size="slim" disabled={busy || !text.trim()}>
        {t("order_send")}
      </Button>
      <span class="soft small">{t("order_keys")}</span>
    </form>
  );
}
