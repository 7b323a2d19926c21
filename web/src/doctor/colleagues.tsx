// The other doctors on duty, whom they have, and the wish to take a patient over.

import { useComputed } from "@preact/signals";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import type { DoctorRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";

export function Colleagues({ wire, me }: { wire: Wire; me: string }) {
  const others = useComputed(() =>
    [...wire.views.rows("doctors").values()]
      .filter((doctor) => doctor.staff !== me && doctor.duty !== "off")
      .sort((a, b) => a.name.localeCompare(b.name, "ja")),
  ).value;
  return (
    <section class="card stack colleagues">
      <h2>{t("colleagues")}</h2>
      {others.length === 0 && <p class="soft small">{t("colleagues_none")}</p>}
      <ul>
        {others.map((doctor) => (
          <Colleague key={doctor.staff} wire={wire} me={me} doctor={doctor} />
        ))}
      </ul>
    </section>
  );
}

function Colleague({ wire, me, doctor }: { wire: Wire; me: string; doctor: DoctorRow }) {
  const [press, busy] = usePress(wire);
  const ticket = doctor.patient ? wire.views.rows("tickets").get(doctor.patient) : undefined;
  const asked = ticket?.hand_over?.to === me && !ticket.hand_over.offered;
  return (
    <li class="colleague" data-staff={doctor.staff}>
      <span>
        <b>{doctor.name}</b>
        <span class="soft small">{doctor.affiliation}</span>
      </span>
      <span class="small">{stateOf(doctor, ticket?.code)}</span>
      {ticket && !ticket.hand_over && (
        <Button
          size="slim"
          kind="quiet"
          disabled={busy}
          aria-label={t("ask_hand_over_label", { name: doctor.name, code: ticket.code })}
          onClick={() => press({ type: "ask_hand_over", ticket: ticket.ticket })}
        >
          {t("ask_hand_over")}
        </Button>
      )}
      {asked && ticket && (
        <span class="row">
          <span class="chip grey">{t("asked")}</span>
          <Button
            size="slim"
            kind="quiet"
            disabled={busy}
            onClick={() =>
              press({ type: "decline_hand_over", ticket: ticket.ticket, epoch: ticket.epoch })
            }
          >
            {t("withdraw")}
          </Button>
        </span>
      )}
    </li>
  );
}

function stateOf(doctor: DoctorRow, code: string | undefined): string {
  if (doctor.away_since !== null) return t("colleague_away");
  if (doctor.busy) return code ? t("colleague_with", { code }) : t("colleague_busy");
  return t(doctor.duty === "break" ? "colleague_break" : "colleague_free");
}
