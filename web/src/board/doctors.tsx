// The doctors on duty along the foot of the board: whom they have, who is away.

import { useMemo } from "preact/hooks";
import type { DoctorRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { span } from "../words/common";
import { t } from "../words/board";
import { doctorsInOrder } from "./columns";

export function Doctors({ wire, room }: { wire: Wire; room: string | undefined }) {
  const rows = wire.views.rows("doctors");
  const doctors = useMemo(() => doctorsInOrder(rows.values(), room), [rows, room]);
  return (
    <section class="doctors" aria-label={t("doctors")}>
      <h2>
        {t("doctors")} <span class="count">{doctors.length}</span>
      </h2>
      {doctors.length === 0 && <p class="soft">{t("doctors_none")}</p>}
      <ul>
        {doctors.map((doctor) => (
          <Doctor key={doctor.staff} wire={wire} doctor={doctor} />
        ))}
      </ul>
    </section>
  );
}

function Doctor({ wire, doctor }: { wire: Wire; doctor: DoctorRow }) {
  const code = doctor.patient ? wire.views.rows("tickets").get(doctor.patient)?.code : undefined;
  const away = doctor.away_since;
  return (
    <li
      class={`doctor-plate ${doctor.duty} ${away !== null ? "away" : ""}`}
      data-staff={doctor.staff}
    >
      <b>{doctor.name}</b>
      <span class="soft small">{doctor.affiliation}</span>
      <span class="plate-state">
        {away !== null
          ? t("away", { time: span(wire.clock.now.value - away) })
          : code
            ? t("doctor_with", { code })
            : t(doctor.duty === "break" ? "doctor_break" : "doctor_free")}
      </span>
    </li>
  );
}
