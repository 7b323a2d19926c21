// What the nurse should look at: one line each, a press opens the patient.

import type { Wire } from "../wire/wire";
import { ago } from "../words/common";
import { nurse } from "../words/nurse";
import { show } from "./app";

export function Alerts({ wire }: { wire: Wire }) {
  const rows = [...wire.views.rows("alerts").values()].sort((one, other) => other.since - one.since);
  return (
    <section class="stack alerts" role="status" aria-live="polite" aria-label={nurse("alerts")}>
      {rows.map((row) => (
        <button
          key={row.alert}
          type="button"
          class={`alert ${row.kind}`}
          onClick={() => show({ at: "ticket", ticket: row.ticket })}
        >
          <strong>{nurse(`alert_${row.kind}`, { code: row.code })}</strong>
          <span class="small">{ago(wire.clock.now.value - row.since)}</span>
        </button>
      ))}
    </section>
  );
}
