// What the nurse is told of the clinic's box on its own network: that she works with it directly and
// the doctor does not see that now, and before she has to, whether she could.

import { useEffect } from "preact/hooks";
import type { DeviceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { nurse } from "../words/nurse";
import { Button } from "../ui/controls";
import { browserBox, ClinicBox } from "./clinic-box";

let box: ClinicBox | undefined;

/** The one box of this page. */
export function clinicBox(wire: Wire): ClinicBox {
  box ??= new ClinicBox(wire, browserBox());
  return box;
}

/** Lets this page go to the box by itself for as long as it is open. */
export function useClinicBox(wire: Wire): void {
  useEffect(() => clinicBox(wire).start(), []);
}

/** The devices of the site: as the box itself says while the page is with it. */
export function deviceRows(wire: Wire): ReadonlyMap<string, DeviceRow> {
  return clinicBox(wire).devices.value ?? wire.views.rows("devices");
}

/** Whether the page is with the box now. */
export function isDirect(wire: Wire): boolean {
  return clinicBox(wire).direct.value.state === "direct";
}

/** Where values and devices stand, while the broker is away. */
export function DirectLine({ wire }: { wire: Wire }) {
  const direct = clinicBox(wire).direct.value;
  if (direct.state === "off") return null;
  // It is being looked for before anybody calls the link cut.
  if (direct.state === "searching" && wire.link.value.state !== "cut_off") return null;
  const words = {
    searching: () => nurse("box_searching"),
    direct: () => nurse(direct.state === "direct" && direct.reaches ? "box_direct_reaches" : "box_direct"),
    refused: () => (direct.state === "refused" ? sentence(direct.code) : ""),
  }[direct.state]();
  return (
    <p class="banner lamp direct-line" data-direct={direct.state} role="status">
      {words}
    </p>
  );
}

/** Told while everything is well, so that nobody finds it out in an outage. */
export function ReadyLine({ wire }: { wire: Wire }) {
  const { readiness, direct } = clinicBox(wire);
  if (direct.value.state !== "off" || readiness.value === "none") return null;
  return (
    <p class="small soft ready-line" data-ready={readiness.value}>
      {nurse(`box_${readiness.value}`)}{" "}
      {readiness.value === "reload" && (
        <Button size="slim" onClick={() => location.reload()}>
          {common("reload")}
        </Button>
      )}
    </p>
  );
}
