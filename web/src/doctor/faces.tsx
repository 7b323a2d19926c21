// The other side's picture and sound, and the own one small.

import { useEffect } from "preact/hooks";
import type { Call } from "../call/call";
import { Button } from "../ui/controls";
import { Parties } from "../ui/parties";
import type { VisitRow } from "../wire/types";
import { common } from "../words/common";
import { t } from "../words/doctor";
import { Auscultation } from "./auscultation";
import { PinPicture } from "./pin";
import type { HeldCall } from "./use-call";

export function Faces({ visit, held }: { visit: VisitRow; held: HeldCall }) {
  const { call, View } = held;
  useFullPicture(call);
  return (
    <div class="faces">
      {call && View && <View call={call} visit={visit} />}
      {!call && (
        <div class="faces-wait">
          <p>{held.failed ? t("call_failed") : common("media_connecting")}</p>
          {held.failed && <Button onClick={held.again}>{t("call_again")}</Button>}
        </div>
      )}
      {call && <Auscultation call={call} visit={visit} />}
      {call && <PinPicture call={call} />}
      <Parties visit={visit} />
    </div>
  );
}

/** One face alone is worth the full picture; several share what the line carries. */
function useFullPicture(call: Call | undefined): void {
  const others = call?.seats.value.map((seat) => seat.participant) ?? [];
  const alone = others.length === 1;
  useEffect(() => {
    for (const participant of others) call?.want(participant, alone ? "full" : "half");
  }, [call, others.join(" ")]);
}
