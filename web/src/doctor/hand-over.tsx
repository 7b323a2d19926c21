// Offering the patient to a colleague on duty in the same room.

import { useComputed } from "@preact/signals";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { colleaguesOf } from "./queue";

interface HandOverProps {
  wire: Wire;
  me: string;
  ticket: TicketRow;
  onClose(): void;
}

export function HandOver({ wire, me, ticket, onClose }: HandOverProps) {
  const [press, busy] = usePress(wire);
  const colleagues = useComputed(() =>
    colleaguesOf(wire.views.rows("doctors").values(), me, ticket.room),
  ).value;
  const offer = async (to: string) => {
    await press({ type: "offer_hand_over", ticket: ticket.ticket, epoch: ticket.epoch, to });
    onClose();
  };
  return (
    <Dialog title={t("hand_over_title")} onClose={onClose}>
      <p class="soft">{t("hand_over_hint")}</p>
      {colleagues.length === 0 && <p>{t("hand_over_none")}</p>}
      <ul class="stack">
        {colleagues.map((doctor) => (
          <li key={doctor.staff} class="row colleague-choice">
            <span>
              <b>{doctor.name}</b> <span class="soft small">{doctor.affiliation}</span>
            </span>
            <span class="small push">
              {doctor.busy ? withWhom(wire, doctor.patient) : t("colleague_free")}
            </span>
            <Button
              size="slim"
              disabled={busy || doctor.busy || doctor.away_since !== null}
              data-act="offer"
              data-staff={doctor.staff}
              onClick={() => offer(doctor.staff)}
            >
              {t("hand_over_offer")}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function withWhom(wire: Wire, ticket: string | null): string {
  const code = ticket === null ? undefined : wire.views.rows("tickets").get(ticket)?.code;
  return code ? t("colleague_with", { code }) : t("colleague_busy");
}
