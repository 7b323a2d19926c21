// The values of now beside the face: each with device, time, age and remarks, never a bare number.

import type { ComponentChildren } from "preact";
import type { ReadingRow } from "../wire/types";
import {
  type Figures,
  figureOf,
  originalOf,
  type Sign,
  signsAt,
  type Source,
  type Tile,
  type Vital,
} from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { ago, timeOfDay } from "../words/common";
import { t } from "../words/doctor";
import { saidOf, typedBy, vouchedOf } from "../words/marks";
import { staff } from "../words/staff";
import { Waits } from "../ui/checking";
import { Photos } from "../ui/photos";
import { cuffFillingAt } from "./now";
import "../ui/tile.css";

const NO_ROWS: readonly ReadingRow[] = [];
/** Those that stand large, above the wave. */
const LARGE: readonly Vital[] = ["pressure", "spo2", "pulse"];

interface NowProps {
  wire: Wire;
  subject: string | null;
  ticket: string;
  /** Shows a moment in the trend. */
  onSee(at: number): void;
  /** The wave, under the sensor's own value. */
  children?: ComponentChildren;
  /** What is looked up now and then. */
  foot?: ComponentChildren;
}

export function Now({ wire, subject, ticket, onSee, children, foot }: NowProps) {
  const rows = subject ? wire.readings.rows(subject) : NO_ROWS;
  const now = wire.clock.now.value;
  const signs = signsAt(rows, now);
  const filling = cuffFillingAt(rows, now);
  const show = (sign: Sign) => (
    <TileView key={sign.vital} wire={wire} ticket={ticket} sign={sign} onSee={onSee}>
      {sign.vital === "pressure" && filling && (
        <span class="chip filling">{t("filling", { n: filling.text })}</span>
      )}
    </TileView>
  );
  const others = signs.filter(({ vital }) => !LARGE.includes(vital));
  return (
    <section class={others.length > 0 ? "now many" : "now"} aria-label={t("vitals")}>
      <h2 class="unseen">{t("vitals")}</h2>
      {signs.filter(({ vital }) => LARGE.includes(vital)).map(show)}
      {others.filter(({ waits }) => waits).map(show)}
      {children}
      {others.filter(({ waits }) => !waits).map(show)}
      {foot}
      {!subject && <p class="soft small">{t("no_subject")}</p>}
    </section>
  );
}

/** A newer value came late: it stands in the trend, and here only the way to it. */
function NewerLate({ at, onSee }: { at: number | undefined; onSee(at: number): void }) {
  if (at === undefined) return null;
  return (
    <button type="button" class="newer-late" onClick={() => onSee(at)}>
      {t("newer_late", { time: timeOfDay(at) })}
    </button>
  );
}

interface TileProps {
  wire: Wire;
  ticket: string;
  sign: Sign;
  onSee(at: number): void;
  children: ComponentChildren;
}

function TileView({ wire, ticket, sign, onSee, children }: TileProps) {
  const { vital, tile, waits, newerLate } = sign;
  return (
    <div class={`tile ${looks(tile)}`} data-vital={vital} data-state={tile.state}>
      <span class="name">
        {nameOf(sign)}
        {tile.state === "stale" && <span class="chip grey">{t("stale")}</span>}
        {children}
      </span>
      <Body vital={vital} tile={tile} />
      {tile.state !== "empty" && <About wire={wire} source={tile.source} />}
      {tile.state !== "empty" && <Photos slim row={tile.source.row} />}
      {waits && <Waits wire={wire} ticket={ticket} vital={vital} source={waits} />}
      {/* A cuff's late pulse is told with its pressure. */}
      {vital !== "pulse" && <NewerLate at={newerLate} onSee={onSee} />}
    </div>
  );
}

function nameOf({ vital, tile }: Sign): string {
  const fromCuff = tile.state !== "empty" && tile.source.row.outcome.device.kind === "cuff";
  return vital === "pulse" && fromCuff ? t("pulse_from_cuff") : staff(`vital_${vital}`);
}

function looks(tile: Tile): string {
  if (tile.state === "fault") return "fault";
  return tile.state === "now" ? "" : "stale";
}

function Body({ vital, tile }: { vital: Vital; tile: Tile }) {
  switch (tile.state) {
    case "empty":
      return <span class="about">{t("none_yet")}</span>;
    case "blank":
      return (
        <>
          <span class="figure" aria-hidden="true">
            –
          </span>
          <span class="about">{t("blank")}</span>
        </>
      );
    case "fault":
      return <Failed tile={tile} />;
    case "now":
    case "stale":
      return (
        <>
          <FigureView vital={vital} figures={tile.figures} />
          <Remarks source={tile.source} />
        </>
      );
  }
}

function FigureView({ vital, figures }: { vital: Vital; figures: Figures }) {
  const figure = figureOf(figures, vital);
  const mean = vital === "pressure" ? figures.get("mean_arterial") : undefined;
  const original = originalOf(figures, vital);
  const [first, second] = figure?.text.split("/") ?? [];
  return (
    <>
      <span>
        <span class="figure">
          {first}
          {second !== undefined && <span class="slash">/</span>}
          {second}
        </span>
        <span class="unit">{figure?.unit}</span>
      </span>
      {mean && <span class="mean">{t("mean", { n: mean.text })}</span>}
      {original && <span class="about">{staff("original", { value: original.text, unit: original.unit })}</span>}
    </>
  );
}

/** An attempt without a number: that it failed, why, and what helps. Never a number. */
function Failed({ tile }: { tile: Extract<Tile, { state: "fault" }> }) {
  const remarks = saidOf(tile.source.row).length > 0;
  return (
    <>
      <span class="said">{t("fault")}</span>
      {tile.reason && <span class="remark">{t(`fault_${tile.reason}`)}</span>}
      {remarks && <Remarks source={tile.source} />}
      {!remarks && !tile.reason && <span class="remark">{t("fault_plain")}</span>}
    </>
  );
}

function Remarks({ source }: { source: Source }) {
  return (
    <>
      {saidOf(source.row).map((remark) => (
        <span class="remark" key={remark}>
          {remark}
        </span>
      ))}
    </>
  );
}

function About({ wire, source }: { wire: Wire; source: Source }) {
  return (
    <span class="about">
      <b class="age">{ago(source.ageMs)}</b>{" "}
      <time dateTime={new Date(source.at).toISOString()}>{clockTime(source.at)}</time>{" "}
      <span class="device">
        {typedBy(source.row, wire.you.value) ?? source.row.outcome.device.model}
      </span>
      {vouchedOf(source.row).map((words) => (
        <span key={words} class="vouched">
          {words}
        </span>
      ))}
    </span>
  );
}

/** "14:05:09": a value's time is told to the second. */
export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString("ja-JP", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
