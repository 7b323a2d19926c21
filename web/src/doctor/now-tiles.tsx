// The values of now beside the face: each with device, time, age and remarks, never a bare number.

import type { ComponentChildren } from "preact";
import type { ReadingRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { ago, timeOfDay } from "../words/common";
import { t } from "../words/doctor";
import { remarksOf } from "../words/staff";
import { type Figure, type Source, type Tile, type Vitals, vitalsAt } from "./now";
import "../ui/tile.css";

const NO_ROWS: readonly ReadingRow[] = [];

interface NowProps {
  wire: Wire;
  subject: string | null;
  /** Shows a moment in the trend. */
  onSee(at: number): void;
  /** The wave, under the sensor's own value. */
  children?: ComponentChildren;
}

export function Now({ wire, subject, onSee, children }: NowProps) {
  const rows = subject ? wire.readings.rows(subject) : NO_ROWS;
  const vitals = vitalsAt(rows, wire.clock.now.value);
  return (
    <section class="now" aria-label={t("vitals")}>
      <h2 class="unseen">{t("vitals")}</h2>
      <Pressure vitals={vitals} onSee={onSee} />
      <TileView
        name={t("spo2")}
        vital="spo2"
        tile={vitals.oximeter}
        foot={<NewerLate at={vitals.newerLate.oximeter} onSee={onSee} />}
      >
        {(tile) => <FigureView figure={tile.figures.get("spo2")} />}
      </TileView>
      <TileView
        name={t(vitals.pulse.from === "cuff" ? "pulse_from_cuff" : "pulse")}
        vital="pulse"
        tile={vitals.pulse.tile}
      >
        {(tile) => <FigureView figure={tile.figures.get("pulse_rate")} />}
      </TileView>
      {children}
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

function Pressure({ vitals, onSee }: { vitals: Vitals; onSee(at: number): void }) {
  const filling = vitals.cuffFilling;
  return (
    <TileView
      name={t("systolic_diastolic")}
      vital="pressure"
      tile={vitals.cuff}
      foot={<NewerLate at={vitals.newerLate.cuff} onSee={onSee} />}
      more={filling && <span class="chip filling">{t("filling", { n: filling.text })}</span>}
    >
      {(tile) => {
        const mean = tile.figures.get("mean_arterial");
        return (
          <>
            <span>
              <span class="figure">
                {tile.figures.get("systolic")?.text ?? "–"}
                <span class="slash">/</span>
                {tile.figures.get("diastolic")?.text ?? "–"}
              </span>
              <span class="unit">{tile.figures.get("systolic")?.unit}</span>
            </span>
            {mean && <span class="mean">{t("mean", { n: mean.text })}</span>}
          </>
        );
      }}
    </TileView>
  );
}

function FigureView({ figure }: { figure: Figure | undefined }) {
  return (
    <span>
      <span class="figure">{figure?.text ?? "–"}</span>
      <span class="unit">{figure?.unit}</span>
    </span>
  );
}

type Shown = Extract<Tile, { state: "now" | "stale" }>;

interface TileProps {
  name: string;
  vital: string;
  tile: Tile;
  more?: ComponentChildren;
  foot?: ComponentChildren;
  children(tile: Shown): ComponentChildren;
}

function TileView({ name, vital, tile, more, foot, children }: TileProps) {
  return (
    <div class={`tile ${looks(tile)}`} data-vital={vital} data-state={tile.state}>
      <span class="name">
        {name}
        {tile.state === "stale" && <span class="chip grey">{t("stale")}</span>}
        {more}
      </span>
      <Body tile={tile}>{children}</Body>
      {tile.state !== "empty" && <About source={tile.source} />}
      {foot}
    </div>
  );
}

function looks(tile: Tile): string {
  if (tile.state === "fault") return "fault";
  return tile.state === "now" ? "" : "stale";
}

function Body({ tile, children }: Pick<TileProps, "tile" | "children">) {
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
          {children(tile)}
          <Remarks source={tile.source} />
        </>
      );
  }
}

/** An attempt without a number: that it failed, why, and what helps. Never a number. */
function Failed({ tile }: { tile: Extract<Tile, { state: "fault" }> }) {
  const remarks = remarksOf(tile.source.row.outcome.quality).length > 0;
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
      {remarksOf(source.row.outcome.quality).map((remark) => (
        <span class="remark" key={remark}>
          {remark}
        </span>
      ))}
    </>
  );
}

function About({ source }: { source: Source }) {
  return (
    <span class="about">
      <b class="age">{ago(source.ageMs)}</b>{" "}
      <time dateTime={new Date(source.at).toISOString()}>{clockTime(source.at)}</time>{" "}
      <span class="device">{source.row.outcome.device.model}</span>
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
