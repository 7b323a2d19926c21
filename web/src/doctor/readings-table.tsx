// The readings as a table, newest first: for those who would rather read than look at lines.

import type { ReadingRow } from "../wire/types";
import { measuredAt } from "../wire/vitals";
import { t } from "../words/doctor";
import { remarksOf, staff } from "../words/staff";
import { clockTime } from "./now-tiles";
import { figuresOf } from "./now";

/** Rows shown; a running oximeter brings one a second. */
const ROWS_MAX = 200;

export function ReadingsTable({ rows }: { rows: readonly ReadingRow[] }) {
  const shown = rows
    .filter((row) => !row.quarantined)
    .filter((row) => row.outcome.characteristic !== "intermediate_cuff_pressure")
    .sort((a, b) => measuredAt(b) - measuredAt(a))
    .slice(0, ROWS_MAX);
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
            <tr key={row.seq}>
              <td>{clockTime(measuredAt(row))}</td>
              <td>{valuesOf(row)}</td>
              <td>{row.outcome.device.model}</td>
              <td>
                {row.late && <span class="chip lamp">{staff("late")}</span>}{" "}
                {remarksOf(row.outcome.quality).join("、")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function valuesOf(row: ReadingRow): string {
  const figures = figuresOf(row);
  if (figures.size === 0) return t("fault");
  const part = (name: string, what: Parameters<typeof figures.get>[0]) => {
    const figure = figures.get(what);
    return figure ? `${name} ${figure.text} ${figure.unit}` : undefined;
  };
  const high = figures.get("systolic");
  const low = figures.get("diastolic");
  const pressure =
    high || low
      ? `${t("systolic_diastolic")} ${high?.text ?? "–"}/${low?.text ?? "–"} mmHg`
      : undefined;
  return [
    pressure,
    part(t("line_mean"), "mean_arterial"),
    part(t("spo2"), "spo2"),
    part(t("pulse"), "pulse_rate"),
  ]
    .filter((text) => text !== undefined)
    .join("　");
}
