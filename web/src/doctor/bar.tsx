// The top line: who is signed in, the link, the language and the way out.

import { signOut } from "../wire/api";
import type { Wire } from "../wire/wire";
import { Button } from "../ui/controls";
import { LanguageButton } from "../ui/language";
import { Mark } from "../ui/mark";
import { common } from "../words/common";
import { t } from "../words/doctor";
import { staff } from "../words/staff";

export function Bar({ wire }: { wire: Wire }) {
  const you = wire.you.value;
  const row = you?.staff ? wire.views.rows("doctors").get(you.staff) : undefined;
  const connected = wire.link.value.state === "connected";
  const leave = async () => {
    await signOut();
    location.reload();
  };
  return (
    <header class="bar">
      <Mark size={30} />
      <h1>{t("title")}</h1>
      {you && (
        <p class="who">
          <span class="unseen">{t("signed_in_as")}</span>
          <b>{you.name}</b>
          {row?.affiliation && <span class="affiliation">{row.affiliation}</span>}
          {row && <span class={`duty-now ${row.duty}`}>{t(`duty_${row.duty}`)}</span>}
        </p>
      )}
      <span class={connected ? "link-now" : "link-now gone"}>
        {common(connected ? "link_connected" : "link_cut_off")}
      </span>
      <LanguageButton />
      <Button kind="quiet" size="slim" onClick={leave}>
        {staff("sign_out")}
      </Button>
    </header>
  );
}
