// The waiting rooms as tabs, with the verbs that open them, fill them and close their intake.

import { useComputed } from "@preact/signals";
import { useState } from "preact/hooks";
import { Button, Field } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import type { RoomRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/board";

interface RoomsProps {
  wire: Wire;
  chosen: string | undefined;
  onChoose(room: string | undefined): void;
  onInvite(): void;
}

export function Rooms({ wire, chosen, onChoose, onInvite }: RoomsProps) {
  const [asking, setAsking] = useState<"open" | "intake" | undefined>();
  const rooms = useComputed(() =>
    [...wire.views.rows("rooms").values()].sort((a, b) => a.name.localeCompare(b.name, "ja")),
  ).value;
  const room =
    rooms.find((one) => one.room === chosen) ?? (rooms.length === 1 ? rooms[0] : undefined);
  return (
    <nav class="rooms" aria-label={t("rooms")}>
      <div class="tabs">
        {rooms.length > 1 && (
          <button
            type="button"
            class="tab"
            aria-pressed={chosen === undefined}
            onClick={() => onChoose(undefined)}
          >
            <b>{t("all_rooms")}</b>
          </button>
        )}
        {rooms.map((one) => (
          <Tab
            key={one.room}
            wire={wire}
            room={one}
            pressed={one.room === room?.room}
            onChoose={onChoose}
          />
        ))}
      </div>
      <div class="room-verbs">
        {room && (
          <Button onClick={() => setAsking("intake")} data-act="intake">
            {t(room.intake_closed ? "intake_open" : "intake_close")}
          </Button>
        )}
        <Button onClick={() => setAsking("open")} data-act="open-room">
          {t("open_room")}
        </Button>
        <Button kind="primary" disabled={rooms.length === 0} onClick={onInvite} data-act="invite">
          {t("invite")}
        </Button>
      </div>
      {asking === "open" && <OpenRoom wire={wire} onClose={() => setAsking(undefined)} />}
      {asking === "intake" && room && (
        <Intake wire={wire} room={room} onClose={() => setAsking(undefined)} />
      )}
    </nav>
  );
}

interface TabProps {
  wire: Wire;
  room: RoomRow;
  pressed: boolean;
  onChoose(room: string): void;
}

function Tab({ wire, room, pressed, onChoose }: TabProps) {
  const now = wire.clock.now.value;
  return (
    <button
      type="button"
      class="tab"
      aria-pressed={pressed}
      data-room={room.room}
      onClick={() => onChoose(room.room)}
    >
      <b>{room.name}</b>
      <span class="tab-facts">
        <span>{t("room_waiting", { n: room.waiting })}</span>
        {room.oldest_wait !== null && (
          <span>{t("room_oldest", { time: span(now - room.oldest_wait) })}</span>
        )}
        <span>{t("room_on_duty", { n: room.on_duty })}</span>
        {room.intake_closed && <span class="chip lamp">{t("intake_is_closed")}</span>}
      </span>
    </button>
  );
}

function OpenRoom({ wire, onClose }: { wire: Wire; onClose(): void }) {
  const [name, setName] = useState("");
  const [press, busy] = usePress(wire);
  const open = async (event: Event) => {
    event.preventDefault();
    if (await press({ type: "open_room", name: name.trim() })) onClose();
  };
  return (
    <Dialog
      title={t("open_room")}
      onClose={onClose}
      actions={
        <Button type="submit" form="open-room" kind="primary" disabled={busy || !name.trim()}>
          {t("open_room_do")}
        </Button>
      }
    >
      <form id="open-room" onSubmit={open}>
        <Field
          label={t("room_name")}
          hint={t("room_name_hint")}
          value={name}
          onValue={setName}
          maxLength={40}
          required
        />
      </form>
    </Dialog>
  );
}

function Intake({ wire, room, onClose }: { wire: Wire; room: RoomRow; onClose(): void }) {
  const [press, busy] = usePress(wire);
  const closing = !room.intake_closed;
  const go = async () => {
    await press({ type: "close_intake", room: room.room, closed: closing });
    onClose();
  };
  return (
    <Dialog
      title={t(closing ? "intake_close_title" : "intake_open_title", { room: room.name })}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={busy} onClick={go}>
          {t(closing ? "intake_close" : "intake_open")}
        </Button>
      }
    >
      <p>{t(closing ? "intake_close_means" : "intake_open_means")}</p>
    </Dialog>
  );
}
