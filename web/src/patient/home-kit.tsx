// The page at home: values go in, what is awaited next, and that a doctor will call.

import type { KitRow, KitValue, PlaceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { language } from "../words/dictionary";
import { home } from "../words/home";
import { patient } from "../words/patient";
import { Banner } from "../ui/banner";
import { Card } from "../ui/controls";
import { EnterCard } from "./own-card";
import { ClinicCard } from "./waiting";
import { Worse } from "./welcome";
import "./visit.css";

export interface HomeKitProps {
  wire: Wire;
  kit: string;
  /** The ticket that changed values opened last; over or not. */
  place: PlaceRow | undefined;
}

export function HomeKit({ wire, kit, place }: HomeKitProps) {
  const row = wire.views.rows("kits").get(kit);
  if (!row) {
    return (
      <p class="soft" role="status">
        {common("wait_moment")}
      </p>
    );
  }
  return (
    <div class="stack wide-gap" data-kit={kit}>
      <h1>{home("title")}</h1>
      <div aria-live="polite" class="stack">
        {place && isWaiting(place) && <WillCall place={place} />}
      </div>
      {place?.state === "ended" && <Said place={place} />}
      <Due row={row} now={wire.clock.now.value} />
      <EnterCard
        wire={wire}
        means={home("enter_means")}
        enter={(values, measured_at) => ({ type: "enter_kit_reading", kit, values, measured_at })}
      />
      <Last row={row} now={wire.clock.now.value} />
      <ClinicCard place={row} />
      <Worse />
    </div>
  );
}

function isWaiting({ state }: PlaceRow): boolean {
  return state === "waiting" || state === "unanswered" || state === "invited";
}

function WillCall({ place }: { place: PlaceRow }) {
  return (
    <Banner tone="lamp">
      <strong data-will-call>{home("will_call")}</strong>
      <br />
      <span>{place.state === "unanswered" ? patient("unanswered") : home("will_call_stay")}</span>
    </Banner>
  );
}

/** What the doctor left to read, as long as it is kept. */
function Said({ place }: { place: PlaceRow }) {
  return (
    <Card title={home("last_call")}>
      {place.disposition && <p>{patient(`ended_${place.disposition}`)}</p>}
      {place.note && (
        <div class="note">
          <h2>{patient("ended_note")}</h2>
          <p class="lead">{place.note}</p>
        </div>
      )}
    </Card>
  );
}

/** What is awaited, the soonest first. */
function Due({ row, now }: { row: KitRow; now: number }) {
  const awaited = row.rules
    .flatMap(({ is, due }) => (due === null ? [] : [{ what: nameOf(is.what), due }]))
    .sort((one, other) => one.due - other.due);
  if (awaited.length === 0) return null;
  return (
    <Card title={home("due_title")}>
      <ul class="stack due">
        {awaited.map(({ what, due }) => (
          <li key={what}>{home("due", { what, time: dayWords(due, now) })}</li>
        ))}
      </ul>
    </Card>
  );
}

function Last({ row, now }: { row: KitRow; now: number }) {
  if (row.last.length === 0) return null;
  return (
    <Card title={home("last")}>
      <dl class="measured">
        {row.last.map((value) => (
          <Value key={value.what} value={value} now={now} />
        ))}
      </dl>
    </Card>
  );
}

function Value({ value, now }: { value: KitValue; now: number }) {
  return (
    <>
      <dt>{nameOf(value.what)}</dt>
      <dd>
        <strong>{value.value}</strong> <span class="small">{value.unit}</span>{" "}
        <span class="small soft">{dayWords(value.at, now)}</span>
      </dd>
    </>
  );
}

const NAMED = [
  "systolic",
  "diastolic",
  "pulse_rate",
  "spo2",
  "temperature",
  "weight",
  "heart_rate",
  "respiration_rate",
  "glucose",
] as const;
type Named = (typeof NAMED)[number];

function nameOf(what: KitValue["what"]): string {
  const named = NAMED.find((one) => one === what) as Named | undefined;
  return named ? home(`what_${named}`) : what;
}

/** "08:05" today, "11/23 08:05" on any other day. */
function dayWords(at: number, now: number): string {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return timeOfDay(at);
  const day = new Date(at).toLocaleDateString(language.value, { month: "numeric", day: "numeric" });
  return `${day} ${timeOfDay(at)}`;
}
