// Who is who is settled and consent is not: said across the whole visit until it is, with the one
// way round it.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { Owed } from "../ui/owed";
import type { VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { DeferForm } from "./gate";
import { isConsentOwed } from "./identity";

export function ConsentStep({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const [deferring, setDeferring] = useState(false);
  if (!isConsentOwed(visit)) return null;
  return (
    <>
      <Owed after="consent_first" label={t("consent_step")} class="banner lamp consent-step">
        <span>
          {t("consent_step")} <span class="small">{t("consent_step_how")}</span>
        </span>
        <Button size="slim" data-act="defer-consent" onClick={() => setDeferring(true)}>
          {t("consent_defer")}
        </Button>
      </Owed>
      {deferring && (
        <Dialog title={t("consent_defer")} onClose={() => setDeferring(false)}>
          <DeferForm wire={wire} visit={visit} />
        </Dialog>
      )}
    </>
  );
}
