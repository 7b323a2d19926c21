// The trend: a chart by uPlot, loaded when a visit is opened, and the same as a table.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ReadingRow } from "../wire/types";
import { measuredAt } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { staff } from "../words/staff";
import { type Range, RANGES, windowOf } from "./range";
import { ReadingsTable } from "./readings-table";
import { LINES, type Line, type Trend as Lines, trendOf } from "./trend";
import type { Cursor, Plots } from "./trend-plot";
import { clockTime } from "./now-tiles";

const NO_ROWS: readonly ReadingRow[] = [];
/** Lines that are named before they have a value. */
const ALWAYS: readonly Line[] = ["systolic", "diastolic", "mean", "spo2", "pulse_oximeter"];

interface TrendProps {
  wire: Wire;
  subject: string | null;
  ticket: string;
  range: Range;
  onRange(range: Range): void;
}

export function Trend({ wire, subject, ticket, range, onRange }: TrendProps) {
  const [table, setTable] = useState(false);
  const rows = subject ? wire.readings.rows(subject) : NO_ROWS;
  return (
    <section class="trend" aria-label={t("trend")}>
      <header>
        <h2>{t("trend")}</h2>
        <span class="segments" role="group" aria-label={t("trend_range")}>
          {RANGES.map((one) => (
            <button
              key={one}
              type="button"
              class="segment"
              aria-pressed={one === range}
              onClick={() => onRange(one)}
            >
              {t(`range_${one}`)}
            </button>
          ))}
        </span>
        <button type="button" class="segment alone" onClick={() => setTable(!table)}>
          {t(table ? "trend_chart" : "trend_table")}
        </button>
      </header>
      {table ? (
        <ReadingsTable wire={wire} ticket={ticket} rows={rows} />
      ) : (
        <Chart wire={wire} subject={subject} range={range} />
      )}
    </section>
  );
}

function Chart({ wire, subject, range }: { wire: Wire; subject: string | null; range: Range }) {
  const place = useRef<HTMLDivElement>(null);
  const plots = useRef<Plots | undefined>(undefined);
  const [cursor, setCursor] = useState<Cursor | undefined>();
  const [loaded, setLoaded] = useState(false);
  const rows = subject ? wire.readings.rows(subject) : NO_ROWS;
  const trend = useMemo(() => trendOf(rows), [rows]);
  const first = useMemo(() => rows.reduce((at, row) => Math.min(at, measuredAt(row)), Infinity), [rows]);
  const [from, to] = windowOf(range, first, wire.clock.now.value);
  useEffect(() => {
    let over = false;
    void import("./trend-plot").then(({ makePlots }) => {
      if (over || !place.current) return;
      plots.current = makePlots(place.current, setCursor);
      setLoaded(true);
    });
    return () => {
      over = true;
      plots.current?.destroy();
      plots.current = undefined;
    };
  }, []);
  useEffect(() => {
    plots.current?.show(trend, from / 1_000, to / 1_000, staff("late"));
  }, [trend, from, to, loaded]);
  return (
    <>
      <Legend cursor={cursor} trend={trend} from={from / 1_000} />
      <div class="plots" ref={place} />
      {trend.x.length === 0 && <p class="trend-none soft">{t("trend_none")}</p>}
    </>
  );
}

interface LegendProps {
  cursor: Cursor | undefined;
  trend: Lines;
  /** Seconds since 1970. */
  from: number;
}

/** What each line that has a value is; under the pointer, what was measured then. */
function Legend({ cursor, trend, from }: LegendProps) {
  const faults = trend.faults.filter((x) => x >= from).length;
  const waiting = trend.waiting.filter((x) => x >= from).length;
  const has = (line: Line) => ALWAYS.includes(line) || trend.lines[line].some((y) => y !== undefined);
  return (
    <p class="legend" aria-hidden="true">
      {LINES.filter((line) => line !== "pulse_cuff" && has(line)).map((line: Line) => (
        <span key={line} class={`key ${line}`}>
          {t(`line_${line}`)}
        </span>
      ))}
      <span class="key late">{staff("late")}</span>
      {faults > 0 && <span class="key fault">{t("faults_n", { n: faults })}</span>}
      {waiting > 0 && <span class="key waiting">{t("waiting_n", { n: waiting })}</span>}
      {cursor && (
        <b class="at">
          {clockTime(cursor.x * 1_000)}{" "}
          {cursor.values.map(({ line, y }) => `${t(`line_${line}`)} ${y}`).join("  ")}
          {cursor.late && `  ${staff("late")}`}
        </b>
      )}
    </p>
  );
}
