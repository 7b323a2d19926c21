// What people did about a reading, in words for staff: who typed it, who said whose it is, who
// looked at it again, who withdrew it and what stands in its place.

import type { ReadingRow, You } from "../wire/types";
import { figureOf, figuresOf, VITALS } from "../wire/vitals";
import { timeOfDay } from "./common";
import { remarksOf, staff } from "./staff";

/** "128/79 mmHg　72 /min": the vital signs of a row; empty where it has no number of any. */
export function valuesOf(row: ReadingRow): string {
  const figures = figuresOf(row);
  return VITALS.flatMap((vital) => {
    const figure = figureOf(figures, vital);
    return figure ? [`${figure.text} ${figure.unit}`] : [];
  }).join("　");
}

/** 手入力 and by whom; `undefined` for a device's value. */
export function typedBy(row: ReadingRow, you: You | undefined): string | undefined {
  const { entered } = row.outcome.provenance;
  if (!entered) return undefined;
  if (entered.type === "patient") return staff("typed_patient");
  return you?.staff === entered.staff ? staff("typed_name", { by: you.name }) : staff("typed_staff");
}

/** What the device says of a value, but for the doubt that somebody has already settled. */
export function saidOf(row: ReadingRow): string[] {
  const settled = row.checked !== null;
  return remarksOf(row.outcome.quality.filter((one) => !(settled && one === "implausible")));
}

/** Who gave a value of now to this patient, and who looked at it again. */
export function vouchedOf({ assigned, checked }: ReadingRow): string[] {
  const vouched: string[] = [];
  if (assigned) {
    vouched.push(staff("mark_assigned", { by: assigned.by, time: timeOfDay(assigned.at) }));
    if (assigned.reason) vouched.push(assigned.reason);
  }
  if (checked?.type === "confirmed") {
    vouched.push(staff("mark_confirmed", { by: checked.by, time: timeOfDay(checked.at) }));
  }
  return vouched;
}

/** What was done about a row, oldest first. `rows` holds the one that stands in its place. */
export function marksOf(
  row: ReadingRow,
  rows: readonly ReadingRow[],
  you: You | undefined,
): string[] {
  const { checked } = row;
  const typed = typedBy(row, you);
  const marks = [...(typed ? [typed] : []), ...vouchedOf(row)];
  if (checked?.type !== "withdrawn") return marks;
  const { by, at, reason, replaced_by } = checked;
  marks.push(staff("mark_withdrawn", { by, time: timeOfDay(at), reason }));
  const other = rows.find((one) => one.outcome.id === replaced_by);
  if (other) marks.push(staff("mark_replaced", { value: valuesOf(other) }));
  return marks;
}
