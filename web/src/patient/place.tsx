// The patient's place, whatever state it is in; the same on the patient's phone and in the patient
// view of a bedside tablet.

import { useEffect } from "preact/hooks";
import type { PlaceRow } from "../wire/types";
import { wire } from "../wire/page";
import { common } from "../words/common";
import { entry } from "../words/entry";
import { patient } from "../words/patient";
import { LinkBanner } from "../ui/banner";
import { Notice } from "../ui/notice";
import { Called } from "./called";
import { quiet, ring } from "../ui/chime";
import { isCompanion } from "./companion";
import { cutWords } from "./cut";
import { Goodbye } from "./goodbye";
import { Ended, Left, Parked } from "./over";
import { stayAwake } from "../ui/awake";
import { HomeKitLoader } from "./home-kit-loader";
import { VisitLoader } from "./visit-loader";
import { Waiting } from "./waiting";

export function Place() {
  useEffect(() => {
    wire.start();
    return () => wire.stop();
  }, []);
  const link = wire.link.value;
  if (link.state === "bye" && !isOver(place())) {
    return <Goodbye code={link.code} place={place()} />;
  }
  return (
    <>
      <Cut />
      <PlaceView />
      <Notice />
    </>
  );
}

function place(): PlaceRow | undefined {
  return [...wire.views.rows("place").values()][0];
}

/** While cut off: what that means for this patient now. */
export function Cut() {
  const { title, gone, back } = cutWords(place()?.state);
  return (
    <LinkBanner
      link={wire.link}
      now={wire.clock.now}
      goneText={title && patient(title)}
      reassurance={gone && patient(gone)}
      backText={back && patient(back)}
    />
  );
}

/** The end of the visit ends the session too: what was last shown stays. */
function isOver(row: PlaceRow | undefined): boolean {
  return row?.state === "ended" || row?.state === "left";
}

/** Nothing to answer: a page at home goes on being what it is. */
function isAtHome({ state }: PlaceRow): boolean {
  return state !== "called" && state !== "in_visit" && state !== "parked";
}

/** What the place asks for now, without the frame of the page. */
export function PlaceView() {
  const row = place();
  const state = row?.state;
  useEffect(() => {
    // What is new stands at the top.
    window.scrollTo(0, 0);
    document.title = state === "called" ? patient("called_title") : common("product");
    // Who may not answer is not rung for: the tablet beside it is.
    if (state !== "called" || isCompanion(wire)) return quiet();
    ring();
    return quiet;
  }, [state]);
  useEffect(() => (state && !isOver(place()) ? stayAwake() : undefined), [state]);
  const kit = wire.you.value?.kit;
  if (kit && (!row || isAtHome(row))) return <HomeKitLoader wire={wire} kit={kit} place={row} />;
  if (!row) {
    return (
      <p class="soft" role="status">
        {entry("joining")}
      </p>
    );
  }
  switch (row.state) {
    case "invited":
    case "waiting":
    case "unanswered":
      return <Waiting wire={wire} place={row} />;
    case "called":
      return <Called wire={wire} place={row} />;
    case "in_visit":
      return <VisitLoader wire={wire} place={row} />;
    case "parked":
      return <Parked wire={wire} place={row} />;
    case "ended":
      return <Ended place={row} />;
    case "left":
      return <Left place={row} />;
  }
}
