// The other side's picture and sound, and the own one small.

import { Button } from "../ui/controls";
import { Parties } from "../ui/parties";
import type { VisitRow } from "../wire/types";
import { common } from "../words/common";
import { t } from "../words/doctor";
import type { HeldCall } from "./use-call";

export function Faces({ visit, held }: { visit: VisitRow; held: HeldCall }) {
  const { call, View } = held;
  return (
    <section class="faces" aria-label={t("faces")}>
      {call && View && <View call={call} visit={visit} />}
      {!call && (
        <div class="faces-wait">
          <p>{held.failed ? t("call_failed") : common("media_connecting")}</p>
          {held.failed && <Button onClick={held.again}>{t("call_again")}</Button>}
        </div>
      )}
      <Parties visit={visit} />
    </section>
  );
}
