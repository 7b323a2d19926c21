// The foot of a visit: what is dangerous on the left, the ways out on the right.

import { useState } from "preact/hooks";
import type { Call } from "../call/call";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { EmergencyButton } from "../ui/emergency";
import { WrongPatientButton } from "../ui/identity";
import { usePress } from "../ui/press";
import type { TicketRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { AudioOnly } from "./audio-only";
import { Ending } from "./ending";
import { Confirm, Spoken } from "./gate";
import { HandOver } from "./hand-over";
import { isOwed } from "./identity";
import { useAltKey } from "./keys";

interface ActionsProps {
  wire: Wire;
  me: string;
  ticket: TicketRow;
  visit: VisitRow;
  call: Call | undefined;
}

type Open = "hand_over" | "park" | "return" | "end" | "audio_only" | "identity";

export function Actions({ wire, me, ticket, visit, call }: ActionsProps) {
  const [open, setOpen] = useState<Open | undefined>();
  const close = () => setOpen(undefined);
  useAltKey("KeyM", () => call?.own.setMicrophone(!call.own.microphone.peek()));
  useAltKey("KeyV", () => void call?.own.setCamera(!call.own.camera.peek()));
  const [press, busy] = usePress(wire);
  const withdraw = () =>
    press({ type: "decline_hand_over", ticket: ticket.ticket, epoch: ticket.epoch });
  const offered = ticket.hand_over?.offered ? ticket.hand_over : undefined;
  const to = offered && wire.views.rows("doctors").get(offered.to)?.name;
  return (
    <footer class="actions">
      <EmergencyButton wire={wire} ticket={ticket.ticket} />
      <WrongPatientButton wire={wire} visit={visit.visit} />
      {visit.audio_only === null && (
        <Button kind="quiet" onClick={() => setOpen("audio_only")}>
          {t("audio_only_do")}
        </Button>
      )}
      {isOwed(visit) && (
        <Button kind="lamp" onClick={() => setOpen("identity")}>
          {t("gate_later")}
        </Button>
      )}
      <span class="push" />
      {offered && (
        <>
          <span class="chip grey">{t("offered_wait", { name: to ?? t("somebody") })}</span>
          <Button kind="quiet" size="slim" disabled={busy} onClick={withdraw}>
            {t("withdraw")}
          </Button>
        </>
      )}
      <Button disabled={ticket.hand_over !== null} onClick={() => setOpen("hand_over")}>
        {t("hand_over")}
      </Button>
      <Button onClick={() => setOpen("return")}>{t("return_front")}</Button>
      <Button onClick={() => setOpen("park")}>{t("park")}</Button>
      <Button kind="primary" data-act="end" onClick={() => setOpen("end")}>
        {t("end")}
      </Button>
      {open === "hand_over" && <HandOver wire={wire} me={me} ticket={ticket} onClose={close} />}
      {open === "end" && <Ending wire={wire} ticket={ticket} onClose={close} />}
      {open === "audio_only" && (
        <AudioOnly wire={wire} visit={visit.visit} call={call} onClose={close} />
      )}
      {open === "identity" && (
        <Dialog title={t("gate_later")} onClose={close}>
          <Confirm wire={wire} visit={visit} />
          <Spoken wire={wire} visit={visit} />
        </Dialog>
      )}
      {(open === "park" || open === "return") && (
        <WayOut wire={wire} ticket={ticket} way={open} onClose={close} />
      )}
    </footer>
  );
}

interface WayOutProps {
  wire: Wire;
  ticket: TicketRow;
  way: "park" | "return";
  onClose(): void;
}

function WayOut({ wire, ticket, way, onClose }: WayOutProps) {
  const [press, busy] = usePress(wire);
  const go = async () => {
    const { ticket: id, epoch } = ticket;
    const type = way === "park" ? "park" : "return_to_front";
    await press({ type, ticket: id, epoch });
    onClose();
  };
  return (
    <Dialog
      title={t(`${way}_title`)}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={busy} onClick={go} data-act={way}>
          {t(way === "park" ? "park" : "return_front")}
        </Button>
      }
    >
      <p>{t(`${way}_means`)}</p>
    </Dialog>
  );
}
