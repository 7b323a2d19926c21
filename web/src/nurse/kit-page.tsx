// One person who is watched at home: what came last, the rules, the page's link, the devices.

import { useEffect, useId, useState } from "preact/hooks";
import type { KitRow, ReadingRow } from "../wire/types";
import { type Typed, type TypedTexts, typedForm } from "../wire/typed";
import { waitsForConfirmation } from "../wire/vitals";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { dayAndTime, kit as words, watchedName } from "../words/kit";
import { valuesOf } from "../words/marks";
import { nurse } from "../words/nurse";
import { Button, Card } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { FiredList } from "../ui/fired";
import { usePress } from "../ui/press";
import { Qr } from "../ui/qr";
import { TypedFields } from "../ui/typed-fields";
import { show } from "./app";
import { Rules } from "./kit-rules";
import { KitState, LastValues, pageWords } from "./kits-page";

interface KitProps {
  wire: Wire;
  row: KitRow;
}

export function KitPage({ wire, row }: KitProps) {
  useEffect(() => wire.watchReadings(row.subject), [row.subject]);
  const { person } = row;
  return (
    <div class="stack kit-page" data-kit={row.kit}>
      <Card title={person?.name ?? words("kits")}>
        <p class="row">
          <span class="chip">{pageWords(row)}</span>
          {(row.ticket !== null || row.doubtful > 0) && (
            <KitState wire={wire} row={row} fired={false} />
          )}
          <span class="push">
            <Button kind="quiet" size="slim" onClick={() => show({ at: "kits" })}>
              ‹ {words("kits")}
            </Button>
          </span>
        </p>
        {person && (
          <p>
            <a href={`tel:${person.call_back.replace(/[^\d+]/g, "")}`}>{person.call_back}</a>{" "}
            <span class="soft small">{person.location}</span>
          </p>
        )}
        <Changes wire={wire} row={row} />
        <h3>{words("kit_values")}</h3>
        <LastValues wire={wire} row={row} />
        <Doubtful wire={wire} row={row} />
        <Told wire={wire} row={row} />
      </Card>
      <Rules wire={wire} row={row} />
      <Link wire={wire} row={row} />
      <Devices wire={wire} row={row} />
      <TakeBack wire={wire} row={row} />
    </div>
  );
}

/** Why the ticket is there. */
function Changes({ wire, row }: KitProps) {
  const ticket = row.ticket ? wire.views.rows("tickets").get(row.ticket) : undefined;
  if (!ticket || ticket.fired.length === 0) return null;
  return (
    <div class="banner lamp">
      <FiredList ticket={ticket} />
    </div>
  );
}

/** A value that no living person shows fires nothing before somebody has looked. */
function Doubtful({ wire, row }: KitProps) {
  const waiting = wire.readings.rows(row.subject).filter(waitsForConfirmation);
  if (row.doubtful === 0 && waiting.length === 0) return null;
  return (
    <div class="stack banner lamp">
      <p>{words("kit_doubtful", { n: Math.max(row.doubtful, waiting.length) })}</p>
      {waiting.map((one) => (
        <Doubt key={one.outcome.id} wire={wire} row={row} reading={one} />
      ))}
    </div>
  );
}

function Doubt({ wire, row, reading }: KitProps & { reading: ReadingRow }) {
  const [press, busy] = usePress(wire);
  const say = (real: boolean) => {
    const reason = real ? "" : words("kit_doubt_why");
    void press({ type: "check_kit_reading", kit: row.kit, reading: reading.outcome.id, real, reason });
  };
  return (
    <div class="row">
      <strong>{valuesOf(reading)}</strong>
      <Button disabled={busy} onClick={() => say(true)} data-act="kit-real">
        {words("kit_doubt_real")}
      </Button>
      <Button disabled={busy} onClick={() => say(false)} data-act="kit-not-real">
        {words("kit_doubt_not")}
      </Button>
    </div>
  );
}

const NONE_WRONG: ReadonlySet<Typed> = new Set();

/** What the person says on the telephone. */
function Told({ wire, row }: KitProps) {
  const [texts, setTexts] = useState<TypedTexts | undefined>();
  const [tried, setTried] = useState(false);
  const [press] = usePress(wire);
  if (!texts) {
    return <Button onClick={() => setTexts({})}>{words("kit_enter")}</Button>;
  }
  const form = typedForm(texts);
  const close = () => {
    setTexts(undefined);
    setTried(false);
  };
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (form.state !== "ready") return;
    const said = { values: form.values, measured_at: wire.clock.read() };
    void press({ type: "enter_kit_reading", kit: row.kit, ...said }, { mayWait: true });
    close();
  };
  return (
    <form class="stack" onSubmit={send} novalidate>
      <TypedFields
        texts={texts}
        onTexts={setTexts}
        wrong={tried && form.state === "wrong" ? form.fields : NONE_WRONG}
        wrongWords={nurse("typing_wrong")}
        nameOf={watchedName}
      />
      {tried && form.state === "empty" && <p role="alert">{nurse("typing_empty")}</p>}
      <div class="row">
        <Button kind="quiet" onClick={close}>
          {common("cancel")}
        </Button>
        <Button type="submit" kind="primary">
          {words("kit_enter_do")}
        </Button>
      </div>
    </form>
  );
}

/** The page's link: shown once, good on one device. */
function Link({ wire, row }: KitProps) {
  const [secret, setSecret] = useState<string | undefined>();
  const [press, busy] = usePress(wire);
  const make = async () => {
    const outcome = await press({ type: "issue_kit_link", kit: row.kit });
    if (outcome?.type === "kit_link") setSecret(outcome.secret);
  };
  const was = row.link_expires !== null;
  return (
    <Card title={words("kit_link")}>
      <p class="soft">{linkWords(row)}</p>
      <Button disabled={busy} onClick={() => void make()} data-act="kit-link">
        {words(was ? "kit_link_remake" : "kit_link_make")}
      </Button>
      {secret && (
        <Dialog
          title={words("kit_link")}
          onClose={() => setSecret(undefined)}
          cancel={common("close")}
          actions={null}
        >
          <p>{words("kit_link_means")}</p>
          <Qr text={addressOf(secret)} label={words("kit_link_qr")} />
          <Address text={addressOf(secret)} />
        </Dialog>
      )}
    </Card>
  );
}

/** Nothing in it is about a person, and the secret never leaves the page in a request. */
function addressOf(secret: string): string {
  return `${location.origin}/p#${secret}`;
}

/** For whoever is not in the room: to be copied into a message. */
function Address({ text }: { text: string }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{words("kit_link_address")}</label>
      <input
        id={id}
        class="address"
        readOnly
        value={text}
        onFocus={(event) => event.currentTarget.select()}
      />
    </div>
  );
}

function linkWords(row: KitRow): string {
  if (row.page_until !== null) {
    return words("kit_page_until", { date: dayAndTime(row.page_until) });
  }
  if (row.link_expires === null) return words("kit_link_none");
  return words("kit_link_until", { date: dayAndTime(row.link_expires) });
}

/** Devices of a box that the site has put up at home. */
function Devices({ wire, row }: KitProps) {
  const [press, busy] = usePress(wire);
  const devices = [...wire.views.rows("devices").values()];
  const own = devices.filter(({ status }) => status.bound === row.subject);
  const free = devices.filter(({ status }) => status.bound === null);
  if (own.length + free.length === 0) return null;
  const nameOf = ({ status }: (typeof devices)[number]) =>
    `${nurse(`device_${status.kind}`)} ${status.model}`;
  return (
    <Card title={words("kit_devices")}>
      <p class="soft">{words("kit_devices_means")}</p>
      {own.map((device) => (
        <p key={device.status.device} class="row">
          <span class="chip moss">{words("kit_attached", { device: nameOf(device) })}</span>
          <Button
            disabled={busy}
            onClick={() => void press({ type: "detach", device: device.status.device })}
          >
            {nurse("detach")}
          </Button>
        </p>
      ))}
      {free.map((device) => (
        <Button
          key={device.status.device}
          disabled={busy || !device.gateway_present}
          data-act="kit-attach"
          onClick={() =>
            void press({
              type: "attach_to_kit",
              kit: row.kit,
              device: device.status.device,
              takes_over: false,
            })
          }
        >
          {words("kit_attach", { device: nameOf(device) })}
        </Button>
      ))}
    </Card>
  );
}

function TakeBack({ wire, row }: KitProps) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const take = async () => {
    const outcome = await press({ type: "take_kit_back", kit: row.kit });
    setAsking(false);
    if (outcome) show({ at: "kits" });
  };
  return (
    <>
      <Button kind="quiet" onClick={() => setAsking(true)} data-act="kit-take-back">
        {words("kit_take_back")}
      </Button>
      {asking && (
        <Dialog
          title={words("kit_take_back_ask")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy} onClick={take} data-act="kit-take-back-do">
              {words("kit_take_back")}
            </Button>
          }
        >
          <p>{words("kit_take_back_means")}</p>
        </Dialog>
      )}
    </>
  );
}
