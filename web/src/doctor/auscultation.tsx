// Whose stethoscope the doctor hears, how loud, and what it takes to hear it at all.

import { useId } from "preact/hooks";
import type { Call } from "../call/call";
import type { VisitRow } from "../wire/types";
import { common } from "../words/common";
import { t } from "../words/doctor";

export function Auscultation({ call, visit }: { call: Call; visit: VisitRow }) {
  const id = useId();
  const line = call.auscultation.value;
  const who = visit.parties.find((party) => party.participant === line?.of);
  const name = who ? `${common(`role_${who.role}`)} ${who.name ?? ""}` : common("unknown");
  return (
    <div class="auscultation" role="status">
      {line && (
        <>
          <strong>{t("auscultation", { name })}</strong>
          <label for={id}>{t("auscultation_volume")}</label>
          <input
            id={id}
            type="range"
            min="0"
            max="1"
            step="0.05"
            value={call.hearing.chestVolume.value}
            onInput={(event) => {
              call.hearing.chestVolume.value = Number(event.currentTarget.value);
            }}
          />
          <span class="small">{t(call.hearing.speaker.value ? "auscultation_hint" : "auscultation_silent")}</span>
        </>
      )}
    </div>
  );
}
