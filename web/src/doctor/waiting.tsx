// The queue of one room and the big button over it.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/controls";
import type { DoctorRow, Duty, RoomRow, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { callIn } from "./calling";
import { moveByArrows, useAltKey } from "./keys";
import { hurdlesOf, queueOf } from "./queue";
import { dutyIn } from "./rooms";
import { WaitingRow } from "./waiting-row";

interface WaitingProps {
  wire: Wire;
  me: string;
  room: RoomRow;
  mine: DoctorRow | undefined;
}

export function Waiting({ wire, me, room, mine }: WaitingProps) {
  const busy = useSignal(false);
  const queue = useComputed(() => queueOf(wire.views.rows("tickets").values(), room.room)).value;
  const duty = dutyIn(mine, room.room);
  const connected = wire.link.value.state === "connected";
  const callable = connected && duty === "on" && !busy.value;
  const first = queue.find(
    (ticket) => hurdlesOf(ticket).length === 0 && (!ticket.preferred || ticket.preferred === me),
  );
  const call = async (act: Parameters<typeof callIn>[1]) => {
    if (!callable) return;
    busy.value = true;
    await callIn(wire, act);
    busy.value = false;
  };
  const next = () => call({ type: "call_next", room: room.room });
  useAltKey("KeyN", next);
  return (
    <section class="waiting" aria-label={t("queue_of", { room: room.name })}>
      <Next callable={callable} duty={duty} first={first} onNext={next} />
      <div class={connected ? "queue card" : "queue card old"}>
        <Head />
        {queue.length === 0 && <Empty />}
        <ol onKeyDown={(event) => moveByArrows(event, "[data-act='call-one']")}>
          {queue.map((ticket, at) => (
            <WaitingRow
              key={ticket.ticket}
              wire={wire}
              me={me}
              ticket={ticket}
              place={at + 1}
              callable={callable}
              onCall={() => call({ type: "call_one", room: room.room, ticket: ticket.ticket })}
            />
          ))}
        </ol>
      </div>
    </section>
  );
}

interface NextProps {
  callable: boolean;
  duty: Duty;
  first: TicketRow | undefined;
  onNext(): void;
}

function Next({ callable, duty, first, onNext }: NextProps) {
  const place = useRef<HTMLDivElement>(null);
  // After a visit nothing has the focus: the next thing to press gets it, without a jump.
  useEffect(() => {
    if (document.activeElement !== document.body) return;
    place.current?.querySelector("button")?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="next" ref={place}>
      <Button
        kind="primary"
        size="big"
        data-act="call-next"
        aria-keyshortcuts="Alt+N"
        disabled={!callable}
        onClick={onNext}
      >
        {t("next")}
      </Button>
      <p class="next-is" aria-live="polite">
        {duty === "off" && t("next_off_duty")}
        {duty === "break" && t("next_break")}
        {duty === "on" && (first ? t("next_is", { code: first.code }) : t("next_nobody"))}
      </p>
    </div>
  );
}

function Empty() {
  return (
    <p class="empty">
      {t("queue_empty")}
      <br />
      <span class="soft small">{t("queue_empty_hint")}</span>
    </p>
  );
}

function Head() {
  return (
    <div class="queue-head" aria-hidden="true">
      <span>{t("col_place")}</span>
      <span>{t("col_code")}</span>
      <span>{t("col_triage")}</span>
      <span>{t("col_age")}</span>
      <span>{t("col_origin")}</span>
      <span>{t("col_wait")}</span>
      <span>{t("col_marks")}</span>
      <span />
    </div>
  );
}
