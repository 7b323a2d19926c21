// The readings as a table, newest first: for those who would rather read than look at lines. What
// was withdrawn stays, struck through, with who, when, why and what stands in its place.

import type { Quantity, ReadingRow } from "../wire/types";
import {
  type Figures,
  figureOf,
  figuresOf,
  isRunning,
  isWithdrawn,
  measuredAt,
  originalOf,
  waitsForConfirmation,
} from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { marksOf, saidOf } from "../words/marks";
import { quantityName, staff } from "../words/staff";
import { CheckButtons, Withdraw } from "../ui/checking";
import { Photos } from "../ui/photos";
import { clockTime } from "./now-tiles";
import { listedOf } from "./listed";

/** Told with the blood pressure, or of no use as single numbers. */
const UNLISTED: readonly Quantity[] = [
  "systolic",
  "diastolic",
  "rr_interval",
  "spo2_fast",
  "spo2_slow",
  "pulse_rate_fast",
  "pulse_rate_slow",
];

interface TableProps {
  wire: Wire;
  ticket: string;
  rows: readonly ReadingRow[];
}

export function ReadingsTable({ wire, ticket, rows }: TableProps) {
  const shown = listedOf(rows);
  return (
    <div
      class="readings"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
      tabIndex={0}
      role="region"
      aria-label={t("trend_table")}
    >
      <table>
        <thead>
          <tr>
            <th>{t("col_measured")}</th>
            <th>{t("col_values")}</th>
            <th>{t("col_device")}</th>
            <th>{t("col_remarks")}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Line key={row.seq} wire={wire} ticket={ticket} rows={rows} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ wire, ticket, rows, row }: TableProps & { row: ReadingRow }) {
  const withdrawn = isWithdrawn(row);
  const waits = waitsForConfirmation(row);
  const { device, provenance } = row.outcome;
  const words = [...marksOf(row, rows, wire.you.value), ...saidOf(row)];
  const values = listed(row);
  const running = isRunning(row.outcome.device.kind);
  // A single value is read in full; of one that runs the next line has the same parts.
  const looks = [withdrawn && "withdrawn", !running && "once"].filter(Boolean).join(" ");
  return (
    <tr class={looks} data-reading={row.outcome.id}>
      <td>{clockTime(measuredAt(row))}</td>
      <td>{withdrawn ? <s>{values}</s> : values}</td>
      <td>{provenance.entered ? staff("typed") : device.model}</td>
      <td>
        {row.late && <span class="chip lamp">{staff("late")}</span>}{" "}
        {waits && <span class="chip lamp">{staff("waits_short")}</span>} {words.join("、")}{" "}
        <Photos slim row={row} />{" "}
        {waits && <CheckButtons wire={wire} ticket={ticket} row={row} />}
        {!waits && !withdrawn && row.outcome.type === "reading" && !running && <Withdraw wire={wire} ticket={ticket} row={row} />}
      </td>
    </tr>
  );
}

function listed(row: ReadingRow): string {
  const figures = figuresOf(row);
  if (figures.size === 0) return t("fault");
  const pressure =
    figures.has("systolic") || figures.has("diastolic") ? figureOf(figures, "pressure") : undefined;
  const parts = pressure
    ? [`${t("systolic_diastolic")} ${pressure.text} ${pressure.unit}${originalWords(figures)}`]
    : [];
  for (const [what, { text, unit, original }] of figures) {
    if (UNLISTED.includes(what)) continue;
    const said = original ? `（${original.value} ${original.unit}）` : "";
    parts.push(`${quantityName(what)} ${text} ${unit}${said}`);
  }
  return parts.join("　");
}

function originalWords(figures: Figures): string {
  const original = originalOf(figures, "pressure");
  return original ? `（${original.text} ${original.unit}）` : "";
}
