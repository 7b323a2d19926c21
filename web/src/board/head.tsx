// The top line: the board's name, the time on the wall, the link, language and way out.

import { signOut } from "../wire/api";
import type { Wire } from "../wire/wire";
import { Button } from "../ui/controls";
import { LanguageButton } from "../ui/language";
import { Mark } from "../ui/mark";
import { common, timeOfDay } from "../words/common";
import { t } from "../words/board";
import { staff } from "../words/staff";

export function Head({ wire }: { wire: Wire }) {
  const connected = wire.link.value.state === "connected";
  const leave = async () => {
    await signOut();
    location.reload();
  };
  return (
    <header class="bar">
      <Mark size={30} />
      <h1>{t("title")}</h1>
      <span class="wall-clock">{timeOfDay(wire.clock.now.value)}</span>
      <span class={connected ? "link-now" : "link-now gone"}>
        {common(connected ? "link_connected" : "link_cut_off")}
      </span>
      <b>{wire.you.value?.name}</b>
      <LanguageButton />
      <Button kind="quiet" size="slim" onClick={leave}>
        {staff("sign_out")}
      </Button>
    </header>
  );
}
