// The desk without a patient: rooms and duty, the queue with its one big button, colleagues.

import { useComputed, useSignal } from "@preact/signals";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { Colleagues } from "./colleagues";
import { roomsInOrder } from "./queue";
import { Parked } from "./parked";
import { Rooms } from "./rooms";
import { Waiting } from "./waiting";

const CHOSEN = "minato-doctor-room";

function remembered(): string | undefined {
  try {
    return sessionStorage.getItem(CHOSEN) ?? undefined;
  } catch {
    return undefined; // Storage can be forbidden; the first room is shown then.
  }
}

export function Desk({ wire, me }: { wire: Wire; me: string }) {
  const wished = useSignal(remembered());
  const rooms = useComputed(() => roomsInOrder(wire.views.rows("rooms").values())).value;
  const mine = wire.views.rows("doctors").get(me);
  const chosen =
    rooms.find((room) => room.room === wished.value) ??
    rooms.find((room) => mine?.rooms.includes(room.room)) ??
    rooms[0];
  const choose = (room: string) => {
    wished.value = room;
    try {
      sessionStorage.setItem(CHOSEN, room);
    } catch {
      // It is shown now; it is only not remembered.
    }
  };
  return (
    <main class="desk">
      <aside class="stack">
        <Rooms wire={wire} mine={mine} rooms={rooms} chosen={chosen?.room} onChoose={choose} />
        <Parked wire={wire} me={me} />
        <Colleagues wire={wire} me={me} />
        <p class="soft small keys">{t("keys")}</p>
      </aside>
      {chosen ? (
        <Waiting key={chosen.room} wire={wire} me={me} room={chosen} mine={mine} />
      ) : (
        <p class="card soft">{t("no_rooms")}</p>
      )}
    </main>
  );
}
