// Visits that this doctor interrupted: who is expected back.

import { useComputed } from "@preact/signals";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { parkedFor } from "./queue";

export function Parked({ wire, me }: { wire: Wire; me: string }) {
  const parked = useComputed(() => parkedFor(wire.views.rows("tickets").values(), me)).value;
  if (parked.length === 0) return null;
  return (
    <section class="card stack parked">
      <h2>{t("parked")}</h2>
      <ul class="stack">
        {parked.map((ticket) => (
          <li key={ticket.ticket} class="row">
            <b class="code">{ticket.code}</b>
            <span>{staff("age_band", { n: ticket.age_band })}</span>
            <span class="soft small">{staff(`origin_${ticket.origin}`)}</span>
          </li>
        ))}
      </ul>
      <p class="soft small">{t("parked_hint")}</p>
    </section>
  );
}
