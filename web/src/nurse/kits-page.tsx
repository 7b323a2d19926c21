// 家庭の見守り: everybody who is watched at home, with the last values and their age; and how one more
// is set up.

import { useState } from "preact/hooks";
import type { KitRow, Person } from "../wire/types";
import type { Wire } from "../wire/wire";
import { ago } from "../words/common";
import { kit as words, watchedName } from "../words/kit";
import { nurse } from "../words/nurse";
import { Button, Card, Choices } from "../ui/controls";
import { usePress } from "../ui/press";
import { Back, PersonFields } from "./admit";
import { show } from "./app";
import { EMPTY, missing, tidy } from "./person";

export function KitsPage({ wire }: { wire: Wire }) {
  const [adding, setAdding] = useState(false);
  const rows = [...wire.views.rows("kits").values()].sort(byNeed);
  if (adding) return <NewKit wire={wire} onDone={() => setAdding(false)} />;
  return (
    <Card title={words("kits")} class="kits">
      <Back />
      <p class="soft">{words("kits_means")}</p>
      {rows.length === 0 && <p>{words("kits_none")}</p>}
      <ul class="tickets stack">
        {rows.map((row) => (
          <li key={row.kit}>
            <Line wire={wire} row={row} />
          </li>
        ))}
      </ul>
      <Button kind="primary" wide onClick={() => setAdding(true)} data-act="kit-new">
        ＋ {words("kit_new")}
      </Button>
    </Card>
  );
}

/** Who waits for a doctor first, then what nobody has looked at, then by name. */
function byNeed(one: KitRow, other: KitRow): number {
  const need = (row: KitRow) => Number(row.ticket !== null) * 2 + Number(row.doubtful > 0);
  const name = (row: KitRow) => row.person?.kana ?? "";
  return need(other) - need(one) || name(one).localeCompare(name(other), "ja");
}

function Line({ wire, row }: { wire: Wire; row: KitRow }) {
  const fired = row.rules.some((rule) => rule.fired !== null && rule.taken === null);
  return (
    <button
      type="button"
      class={row.ticket ? "line called" : "line"}
      data-kit={row.kit}
      onClick={() => show({ at: "kit", kit: row.kit })}
    >
      <span class="who">
        <strong>{row.person?.name}</strong>
        <LastValues wire={wire} row={row} />
      </span>
      <KitState wire={wire} row={row} fired={fired} />
    </button>
  );
}

/** Each value with its age: a number without one says nothing. */
export function LastValues({ wire, row }: { wire: Wire; row: KitRow }) {
  const now = wire.clock.now.value;
  if (row.last.length === 0) return <span class="small soft">{words("kit_values_none")}</span>;
  return (
    <span class="small soft kit-values">
      {row.last.map(({ what, value, unit, at }) => (
        <span key={what}>
          {watchedName(what)} <b>{value}</b> {unit}（{ago(now - at)}）
        </span>
      ))}
    </span>
  );
}

interface StateProps {
  wire: Wire;
  row: KitRow;
  fired: boolean;
}

export function KitState({ wire, row, fired }: StateProps) {
  const ticket = row.ticket ? wire.views.rows("tickets").get(row.ticket) : undefined;
  if (ticket) {
    const seen = ticket.state === "called" || ticket.state === "in_visit";
    const key = seen ? "kit_ticket_seen" : "kit_ticket_open";
    return <span class={seen ? "chip moss" : "chip lamp"}>{words(key, { code: ticket.code })}</span>;
  }
  if (row.doubtful > 0) return <span class="chip lamp">{words("kit_doubt_title")}</span>;
  if (fired) return <span class="chip grey">{words("fired_title")}</span>;
  return <span class="chip">{pageWords(row)}</span>;
}

/** Whether anybody at home could see a call now. */
export function pageWords(row: KitRow): string {
  if (row.present) return words("kit_page_open");
  return words(row.page_until === null ? "kit_page_never" : "kit_page_closed");
}

function NewKit({ wire, onDone }: { wire: Wire; onDone(): void }) {
  const rooms = [...wire.views.rows("rooms").values()];
  const [room, setRoom] = useState<string>();
  const [person, setPerson] = useState<Person>(EMPTY);
  const [tried, setTried] = useState(false);
  const [press, busy] = usePress(wire);
  const chosen = rooms.find((one) => one.room === room)?.room ?? rooms[0]?.room;
  const lacking = missing(person);
  const set = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!chosen || lacking.size > 0) return;
    const outcome = await press({ type: "set_up_kit", room: chosen, person: tidy(person) });
    if (outcome?.type === "kit_set_up") show({ at: "kit", kit: outcome.kit });
  };
  return (
    <form onSubmit={set} novalidate>
      <Card title={words("kit_new")}>
        <p class="soft">{words("kits_means")}</p>
        {rooms.length > 1 && (
          <Choices
            label={words("kit_room")}
            value={chosen}
            onValue={setRoom}
            options={rooms.map((one) => ({ value: one.room, text: one.name }))}
          />
        )}
        {wire.views.known("rooms") && rooms.length === 0 && <p>{nurse("room_none")}</p>}
        <PersonFields person={person} onPerson={setPerson} lacking={tried ? lacking : new Set()} />
        <div class="row">
          <Button kind="quiet" onClick={onDone}>
            ‹ {words("kits")}
          </Button>
          <Button type="submit" kind="primary" size="big" disabled={busy || !chosen} data-act="kit-set-up">
            {words("kit_new_do")}
          </Button>
        </div>
      </Card>
    </form>
  );
}
