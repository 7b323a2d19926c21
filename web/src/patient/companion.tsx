// A second device beside a bedside tablet sees and hears; the tablet and its nurse speak for the
// patient, so nothing is pressed here that the broker would refuse.

import { Banner } from "../ui/banner";
import type { Wire } from "../wire/wire";
import { patient } from "../words/patient";

export function isCompanion(wire: Wire): boolean {
  return wire.you.value?.companion === true;
}

export function CompanionNote() {
  return <Banner>{patient("companion_note")}</Banner>;
}
