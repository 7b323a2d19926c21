// What was measured, in plain words: a value as it is, and never a fault as a number or a fright.

import { useEffect } from "preact/hooks";
import { figureOf, type Sign, signsAt } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { patient } from "../words/patient";
import { Card } from "../ui/controls";

interface MeasuredProps {
  wire: Wire;
  subject: string;
}

export function Measured({ wire, subject }: MeasuredProps) {
  useEffect(() => wire.watchReadings(subject), [subject]);
  const rows = wire.readings.rows(subject);
  if (rows.length === 0) return null;
  return (
    <Card title={patient("measured")}>
      <dl class="measured">
        {signsAt(rows, wire.clock.now.value).map((sign) => (
          <Line key={sign.vital} sign={sign} />
        ))}
      </dl>
    </Card>
  );
}

function Line({ sign }: { sign: Sign }) {
  const { vital, tile } = sign;
  if (tile.state === "empty" && !sign.waits) return null;
  return (
    <>
      <dt>{patient(`measure_${vital}`)}</dt>
      <dd class={tile.state === "stale" ? "old" : ""} data-vital={vital}>
        <Value sign={sign} />
      </dd>
    </>
  );
}

function Value({ sign: { vital, tile, waits } }: { sign: Sign }) {
  // What nobody has looked at again is not for a patient's eyes.
  if (waits) return patient("measure_again");
  switch (tile.state) {
    case "empty":
    case "blank":
      return patient("measure_gone");
    case "fault":
      return patient("measure_again");
    case "now":
    case "stale": {
      const figure = figureOf(tile.figures, vital);
      return (
        <>
          <strong>{figure?.text}</strong> <span class="small">{figure?.unit}</span>
          {tile.state === "stale" && <span class="small"> {patient("measure_old")}</span>}
        </>
      );
    }
  }
}
