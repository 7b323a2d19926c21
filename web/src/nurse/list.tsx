// The patients of the site, who needs the nurse first; large rows for gloved fingers.

import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, span } from "../words/common";
import { kit } from "../words/kit";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { Button } from "../ui/controls";
import { emergencySince } from "../ui/emergency";
import { show } from "./app";
import { byNeed, isOver } from "./order";

interface ListProps {
  wire: Wire;
  chosen: string | undefined;
}

export function List({ wire, chosen }: ListProps) {
  const rows = [...wire.views.rows("tickets").values()].sort(byNeed);
  const known = wire.views.known("tickets");
  return (
    <section class="stack" aria-label={nurse("list")}>
      <Button kind="primary" size="big" wide onClick={() => show({ at: "admit" })} data-act="admit">
        ＋ {nurse("admit")}
      </Button>
      <h2>{nurse("list")}</h2>
      {rows.length === 0 && (
        <p class="soft">{known ? nurse("list_empty") : common("wait_moment")}</p>
      )}
      <ul class="tickets stack">
        {rows.map((row) => (
          <li key={row.ticket}>
            <Line wire={wire} row={row} chosen={row.ticket === chosen} />
          </li>
        ))}
      </ul>
      <Button wide onClick={() => show({ at: "kits" })} data-act="kits">
        {kit("kits")}
      </Button>
      <Button wide onClick={() => show({ at: "setup" })} data-act="setup">
        {nurse("setup")}
      </Button>
    </section>
  );
}

function Line({ wire, row, chosen }: { wire: Wire; row: TicketRow; chosen: boolean }) {
  const waited = row.arrived !== null && row.state === "waiting";
  const emergency = emergencyNow(row) !== undefined;
  const classes = ["line", row.state, emergency && "emergency"].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      class={classes}
      aria-current={chosen}
      data-ticket={row.ticket}
      onClick={() => show({ at: "ticket", ticket: row.ticket })}
    >
      <span class="code">{row.code}</span>
      <span class="who">
        <strong>{row.person?.name ?? staff("age_band", { n: row.age_band })}</strong>
        <span class="small soft">
          {staff(`triage_${row.triage}`)}
          {waited && ` · ${staff("waited", { time: span(wire.clock.now.value - (row.arrived ?? 0)) })}`}
        </span>
      </span>
      <State row={row} emergency={emergency} />
    </button>
  );
}

/** Since when 急変 is on; what is over is no longer an alarm. */
export function emergencyNow(row: TicketRow): number | undefined {
  return isOver(row) ? undefined : emergencySince(row.ticket, row.emergency);
}

export function State({ row, emergency }: { row: TicketRow; emergency: boolean }) {
  if (emergency) return <span class="chip alarm-chip">{staff("emergency")}</span>;
  const tone = { called: "lamp", in_visit: "moss", parked: "lamp" }[row.state as string] ?? "";
  const ready = row.state === "waiting" && row.ready;
  return (
    <span class={`chip ${ready ? "moss" : tone}`}>
      {ready ? nurse("ready_short") : staff(`state_${row.state}`)}
    </span>
  );
}
