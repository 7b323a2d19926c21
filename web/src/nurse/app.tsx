// The nurse's tablet: the list of the site to the left, one patient to the right; or, in patient
// view, one patient's side and nothing else.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Act, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import * as api from "../wire/api";
import { timeOfDay } from "../words/common";
import { language } from "../words/dictionary";
import { nurse } from "../words/nurse";
import { staff } from "../words/staff";
import { LinkBanner } from "../ui/banner";
import { quiet, ring } from "../ui/chime";
import { Button } from "../ui/controls";
import { LanguageButton } from "../ui/language";
import { Mark } from "../ui/mark";
import { Notice } from "../ui/notice";
import { Admit } from "./admit";
import { Alerts } from "./alerts";
import { clinicBox, useClinicBox } from "./box-words";
import { HeldList, HeldPage } from "./held-page";
import { List } from "./list";
import { PatientView } from "./patient-view";
import { TicketPage } from "./ticket";

export type Shown =
  | { at: "nothing" }
  | { at: "admit" }
  | { at: "ticket"; ticket: string }
  | { at: "held"; reading: string }
  | { at: "setup" }
  | { at: "kits" }
  | { at: "kit"; kit: string };
/** What stands on the right. */
const shown = signal<Shown>({ at: "nothing" });

export function show(next: Shown): void {
  shown.value = next;
  window.scrollTo(0, 0);
}

export function App({ wire }: { wire: Wire }) {
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, []);
  useClinicBox(wire);
  const you = wire.you.value;
  const called = [...wire.views.rows("tickets").values()].some(isRinging);
  useEffect(() => {
    if (called) ring();
    return quiet;
  }, [called]);
  if (you?.patient_view) {
    return (
      <>
        <PatientView wire={wire} />
        <Notice />
      </>
    );
  }
  return (
    <>
      <Bar wire={wire} />
      <LinkBanner link={wire.link} now={wire.clock.now} reassurance={nurse("measuring_goes_on")} />
      <AsOf wire={wire} />
      <main class={`split nurse-split at-${shown.value.at}`}>
        <div class="stack side">
          <Alerts wire={wire} />
          <HeldList wire={wire} />
          <List wire={wire} chosen={shown.value.at === "ticket" ? shown.value.ticket : undefined} />
        </div>
        <div class="stack main">
          <Main wire={wire} />
        </div>
      </main>
      <Notice />
    </>
  );
}

/** What the page asks for without a press. */
const BY_ITSELF: readonly Act["type"][] = ["join_media", "ask_lan_pass"];

function Bar({ wire }: { wire: Wire }) {
  // What counts here is what the nurse pressed.
  const pressed = wire.acts.pending.value.filter(({ act }) => !BY_ITSELF.includes(act.type));
  const unsent = pressed.filter((one) => !one.sent).length;
  const out = async () => {
    await Promise.all([clinicBox(wire).leave(), api.signOut()]);
    location.reload();
  };
  return (
    <header class="bar">
      <Mark size={32} />
      <h1>{nurse("title")}</h1>
      <span>{wire.you.value?.name}</span>
      {unsent > 0 && <span class="chip lamp">{staff("unsent_n", { n: unsent })}</span>}
      <span class="push row">
        <LanguageButton />
        <Button kind="quiet" size="slim" onClick={out}>
          {staff("sign_out")}
        </Button>
      </span>
    </header>
  );
}

/** While cut off, the page says from when its contents are. */
function AsOf({ wire }: { wire: Wire }) {
  const link = wire.link.value;
  if (link.state !== "cut_off") return null;
  return (
    <p class="as-of small">{nurse("shown_as_of", { time: timeOfDay(link.since) })}</p>
  );
}

function Main({ wire }: { wire: Wire }) {
  const now = shown.value;
  switch (now.at) {
    case "nothing":
      return <p class="soft choose">{nurse("choose")}</p>;
    case "admit":
      return <Admit wire={wire} />;
    case "setup":
      return <Setup wire={wire} />;
    case "held": {
      const row = wire.views.rows("held").get(now.reading);
      if (!row) return <p class="soft choose">{nurse("held_gone")}</p>;
      return <HeldPage key={row.reading} wire={wire} row={row} />;
    }
    case "kits":
      return <Kits wire={wire} />;
    case "kit":
      return <Kits wire={wire} kit={now.kit} />;
    case "ticket": {
      const row = wire.views.rows("tickets").get(now.ticket);
      // Far from the patient there is nothing to do at the bed.
      if (row?.kit) return <Kits wire={wire} kit={row.kit} />;
      if (!row) return <p class="soft choose">{nurse("choose")}</p>;
      return <TicketPage key={row.ticket} wire={wire} row={row} />;
    }
  }
}

/** A call at the bed rings here; one at somebody's home rings there. */
function isRinging({ state, kit }: TicketRow): boolean {
  return state === "called" && kit === null;
}

const kits = signal<
  { list: typeof import("./kits-page"); page: typeof import("./kit-page") } | undefined
>(undefined);

function Kits({ wire, kit }: { wire: Wire; kit?: string }) {
  useEffect(() => {
    void Promise.all([import("./kits-page"), import("./kit-page")]).then(([list, page]) => {
      kits.value = { list, page };
    });
  }, []);
  const { list, page } = kits.value ?? {};
  if (!list || !page) return null;
  const row = kit === undefined ? undefined : wire.views.rows("kits").get(kit);
  if (row) return <page.KitPage key={row.kit} wire={wire} row={row} />;
  return <list.KitsPage wire={wire} />;
}

const setup = signal<typeof import("./setup-page") | undefined>(undefined);

function Setup({ wire }: { wire: Wire }) {
  useEffect(() => {
    void import("./setup-page").then((loaded) => {
      setup.value = loaded;
    });
  }, []);
  return setup.value ? <setup.value.SetupPage wire={wire} /> : null;
}
