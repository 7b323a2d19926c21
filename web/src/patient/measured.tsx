// What was measured, in plain words: a value as it is, and never a fault as a number or a fright.

import { useEffect } from "preact/hooks";
import { isStale, nowOf, type Vital, VITALS } from "../wire/vitals";
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
        {VITALS.map((vital) => (
          <Line key={vital} wire={wire} subject={subject} vital={vital} />
        ))}
      </dl>
    </Card>
  );
}

function Line({ wire, subject, vital }: MeasuredProps & { vital: Vital }) {
  const newest = nowOf(wire.readings.rows(subject), vital);
  if (!newest) return null;
  const old = isStale(vital, newest.at, wire.clock.now.value);
  return (
    <>
      <dt>{patient(`measure_${vital}`)}</dt>
      <dd class={old ? "old" : ""} data-vital={vital}>
        {newest.failed ? (
          patient("measure_again")
        ) : (
          <>
            <strong>{newest.figure}</strong> <span class="small">{newest.unit}</span>
            {old && <span class="small"> {patient("measure_old")}</span>}
          </>
        )}
      </dd>
    </>
  );
}
