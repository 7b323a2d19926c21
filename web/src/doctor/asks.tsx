// Hand-overs that wait for this doctor's word, on top of whatever is on the screen.

import { useComputed } from "@preact/signals";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { type Ask, asksOf } from "./queue";

export function Asks({ wire }: { wire: Wire }) {
  const me = wire.you.value?.staff;
  const asks = useComputed(() => {
    const staff = wire.you.value?.staff;
    return staff ? asksOf(wire.views.rows("tickets").values(), staff) : [];
  }).value;
  if (!me) return null;
  return (
    <div role="status" aria-live="assertive">
      {asks.map((ask) => (
        <AskBanner key={ask.ticket.ticket} wire={wire} ask={ask} />
      ))}
    </div>
  );
}

function AskBanner({ wire, ask }: { wire: Wire; ask: Ask }) {
  const [press, busy] = usePress(wire);
  const { ticket, epoch, code } = ask.ticket;
  const name = (ask.other && wire.views.rows("doctors").get(ask.other)?.name) || t("somebody");
  return (
    <div class="banner ask" data-ask={ask.kind}>
      <span>{t(ask.kind, { name, code })}</span>
      <Button
        kind="primary"
        size="slim"
        disabled={busy}
        onClick={() => press({ type: "accept_hand_over", ticket, epoch })}
      >
        {t(ask.kind === "offered" ? "accept" : "grant")}
      </Button>
      <Button
        size="slim"
        disabled={busy}
        onClick={() => press({ type: "decline_hand_over", ticket, epoch })}
      >
        {t("decline")}
      </Button>
    </div>
  );
}
