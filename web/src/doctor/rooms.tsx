// The waiting rooms: how many wait, since when, and this doctor's duty in each.

import type { DoctorRow, Duty, RoomRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { usePress } from "../ui/press";
import { span } from "../words/common";
import { t } from "../words/doctor";

const DUTIES: readonly Duty[] = ["on", "break", "off"];

interface RoomsProps {
  wire: Wire;
  mine: DoctorRow | undefined;
  rooms: readonly RoomRow[];
  chosen: string | undefined;
  onChoose(room: string): void;
}

export function Rooms({ wire, mine, rooms, chosen, onChoose }: RoomsProps) {
  return (
    <section class="stack" aria-label={t("rooms")}>
      <h2 class="unseen">{t("rooms")}</h2>
      {rooms.map((room) => (
        <article
          key={room.room}
          class={room.room === chosen ? "card room chosen" : "card room"}
          data-room={room.room}
        >
          <button
            type="button"
            class="room-face"
            aria-pressed={room.room === chosen}
            onClick={() => onChoose(room.room)}
          >
            <span class="room-name">{room.name}</span>
            <span class="room-facts">
              <span>
                <b class="count">{room.waiting}</b> {t("room_waiting")}
              </span>
              {room.oldest_wait !== null && (
                <span>
                  {t("room_oldest", { time: span(wire.clock.now.value - room.oldest_wait) })}
                </span>
              )}
              <span>{t("room_on_duty", { n: room.on_duty })}</span>
              {room.intake_closed && <span class="chip lamp">{t("room_closed")}</span>}
            </span>
          </button>
          <DutySwitch wire={wire} mine={mine} room={room} />
        </article>
      ))}
      {rooms.length === 0 && <p class="soft">{t("no_rooms")}</p>}
    </section>
  );
}

/** What this doctor does in one room now. */
export function dutyIn(mine: DoctorRow | undefined, room: string): Duty {
  return mine?.rooms.includes(room) ? mine.duty : "off";
}

interface DutyProps {
  wire: Wire;
  mine: DoctorRow | undefined;
  room: RoomRow;
}

function DutySwitch({ wire, mine, room }: DutyProps) {
  const [press, busy] = usePress(wire);
  const now = dutyIn(mine, room.room);
  return (
    <fieldset class="duty">
      <legend class="unseen">{t("duty", { room: room.name })}</legend>
      {DUTIES.map((duty) => (
        <button
          key={duty}
          type="button"
          class={`segment ${duty}`}
          aria-pressed={duty === now}
          disabled={busy}
          data-duty={duty}
          onClick={() => press({ type: "set_duty", room: room.room, duty })}
        >
          {t(`duty_${duty}`)}
        </button>
      ))}
    </fieldset>
  );
}
