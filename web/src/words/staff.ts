// `staff(key)`: the words that nurse, doctor and board share, and the devices' remarks.

import type { Quality, Quantity } from "../wire/types";
import { dictionary } from "./dictionary";
import ja, { quality as qualityJa, quantity as quantityJa } from "./staff.ja";

export const staff = dictionary(ja, () => import("./staff.en").then((file) => file.default));

const remarks = dictionary<Quality>(qualityJa, () =>
  import("./staff.en").then((file) => file.quality),
);

/** What a number is called. */
export const quantityName = dictionary<Quantity>(quantityJa, () =>
  import("./staff.en").then((file) => file.quantity),
);

/** Remarks that tell staff nothing they have to look at. */
const SILENT: readonly Quality[] = ["validated", "fully_qualified", "clock_unknown", "clock_corrected", "in_parts"];

/** What a device says about a value, as sentences with a remedy where there is one. */
export function remarksOf(quality: readonly Quality[]): string[] {
  return quality.filter((one) => !SILENT.includes(one)).map((one) => remarks(one));
}
