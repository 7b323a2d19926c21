// One vital sign as staff see it: value, unit, age, device, remarks; grey when it is old.

import { useComputed } from "@preact/signals";
import { isStale, nowOf, type Vital, VITALS } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { ago } from "../words/common";
import { remarksOf, staff } from "../words/staff";
import "./tile.css";

interface TileProps {
  wire: Wire;
  subject: string;
  vital: Vital;
}

export function Tile({ wire, subject, vital }: TileProps) {
  const newest = useComputed(() => nowOf(wire.readings.rows(subject), vital)).value;
  const now = wire.clock.now.value;
  const name = <span class="name">{staff(`vital_${vital}`)}</span>;
  if (!newest) {
    return (
      <div class="tile stale" data-vital={vital}>
        {name}
        <span class="figure">–</span>
        <span class="about">{staff("vital_none")}</span>
      </div>
    );
  }
  const about = (
    <span class="about">
      {ago(now - newest.at)} · {newest.device.model}
    </span>
  );
  const remarks = remarksOf(newest.quality).map((remark) => (
    <span class="remark" key={remark}>
      {remark}
    </span>
  ));
  if (newest.failed) {
    return (
      <div class="tile fault" data-vital={vital}>
        {name}
        <span class="said">{staff("vital_failed")}</span>
        {newest.reason && <span class="remark">{staff(`fault_${newest.reason}`)}</span>}
        {remarks}
        {about}
      </div>
    );
  }
  const stale = isStale(vital, newest.at, now);
  return (
    <div class={stale ? "tile stale" : "tile"} data-vital={vital}>
      {name}
      <span>
        <span class="figure">{newest.figure}</span>
        <span class="unit">{newest.unit}</span>
      </span>
      {stale && <span class="chip grey">{staff("vital_stale")}</span>}
      {remarks}
      {about}
    </div>
  );
}

/** Blood pressure, saturation and pulse of one subject. The page watches the readings. */
export function Tiles({ wire, subject }: { wire: Wire; subject: string }) {
  return (
    <div class="tiles">
      {VITALS.map((vital) => (
        <Tile key={vital} wire={wire} subject={subject} vital={vital} />
      ))}
    </div>
  );
}
