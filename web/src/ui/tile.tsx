// The vital signs as staff see them: value, unit, age, device, remarks; grey when old, no number
// when it is too old, and beside it what waits for a second look.

import type { ComponentChildren } from "preact";
import type { ReadingRow } from "../wire/types";
import { figureOf, type Sign, signsAt, type Source, type Tile } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { ago, timeOfDay } from "../words/common";
import { saidOf, typedBy, vouchedOf } from "../words/marks";
import { staff } from "../words/staff";
import { Waits } from "./checking";
import { Photos } from "./photos";
import "./tile.css";

interface TilesProps {
  wire: Wire;
  subject: string;
  ticket: string;
  onCorrect?: (row: ReadingRow) => void;
}

/** The vital signs of one subject. The page watches the readings. */
export function Tiles({ wire, subject, ticket, onCorrect }: TilesProps) {
  const signs = signsAt(wire.readings.rows(subject), wire.clock.now.value);
  return (
    <div class="tiles">
      {signs.map((sign) => (
        <TileView key={sign.vital} wire={wire} sign={sign}>
          {sign.waits && (
            <Waits wire={wire} ticket={ticket} vital={sign.vital} source={sign.waits} onCorrect={onCorrect} />
          )}
        </TileView>
      ))}
    </div>
  );
}

function TileView({ wire, sign, children }: { wire: Wire; sign: Sign; children: ComponentChildren }) {
  const { vital, tile, newerLate } = sign;
  return (
    <div class={`tile ${looks(tile)}`} data-vital={vital} data-state={tile.state}>
      <span class="name">{staff(`vital_${vital}`)}</span>
      <Body sign={sign} />
      {tile.state !== "empty" && <About wire={wire} source={tile.source} />}
      {newerLate !== undefined && (
        <span class="about">{staff("newer_late", { time: timeOfDay(newerLate) })}</span>
      )}
      {children}
    </div>
  );
}

function looks(tile: Tile): string {
  if (tile.state === "fault") return "fault";
  return tile.state === "now" ? "" : "stale";
}

function Body({ sign: { vital, tile } }: { sign: Sign }) {
  switch (tile.state) {
    case "empty":
      return (
        <>
          <span class="figure">–</span>
          <span class="about">{staff("vital_none")}</span>
        </>
      );
    case "blank":
      return (
        <>
          <span class="figure">–</span>
          <span class="about">{staff("vital_blank")}</span>
        </>
      );
    case "fault":
      return (
        <>
          <span class="said">{staff("vital_failed")}</span>
          {tile.reason && <span class="remark">{staff(`fault_${tile.reason}`)}</span>}
          <Remarks source={tile.source} />
        </>
      );
    case "now":
    case "stale": {
      const figure = figureOf(tile.figures, vital);
      return (
        <>
          <span>
            <span class="figure">{figure?.text}</span>
            <span class="unit">{figure?.unit}</span>
          </span>
          {tile.state === "stale" && <span class="chip grey">{staff("vital_stale")}</span>}
          <Remarks source={tile.source} />
        </>
      );
    }
  }
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
  const { row } = source;
  return (
    <span class="about">
      {ago(source.ageMs)} · {typedBy(row, wire.you.value) ?? row.outcome.device.model}
      {wire.readings.isBeside(row) && (
        <span class="vouched">
          {staff(wire.readings.besideReaches.value ? "from_box_reaches" : "from_box")}
        </span>
      )}
      {vouchedOf(row).map((words) => (
        <span key={words} class="vouched">
          {words}
        </span>
      ))}
      <Photos row={row} />
    </span>
  );
}
