// The patient's place, whatever state it is in; the same on the patient's phone and in the patient
// view of a bedside tablet.

import { useEffect } from "preact/hooks";
import type { Code, PlaceRow } from "../wire/types";
import { wire } from "../wire/page";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { entry } from "../words/entry";
import { patient } from "../words/patient";
import { LinkBanner } from "../ui/banner";
import { Button } from "../ui/controls";
import { Notice } from "../ui/notice";
import { Called } from "./called";
import { quiet, ring } from "../ui/chime";
import { Ended, Left, Parked } from "./over";
import { stayAwake } from "../ui/awake";
import { VisitLoader } from "./visit-loader";
import { Waiting } from "./waiting";
import { Worse } from "./welcome";

export function Place() {
  useEffect(() => {
    wire.start();
    return () => wire.stop();
  }, []);
  const link = wire.link.value;
  if (link.state === "bye" && !isOver(place())) return <Goodbye code={link.code} />;
  return (
    <>
      <LinkBanner
        link={wire.link}
        now={wire.clock.now}
        reassurance={patient("kept")}
        backText={patient("back")}
      />
      <PlaceView />
      <Notice />
    </>
  );
}

function place(): PlaceRow | undefined {
  return [...wire.views.rows("place").values()][0];
}

/** The end of the visit ends the session too: what was last shown stays. */
function isOver(row: PlaceRow | undefined): boolean {
  return row?.state === "ended" || row?.state === "left";
}

/** What the place asks for now, without the frame of the page. */
export function PlaceView() {
  const row = place();
  const state = row?.state;
  useEffect(() => {
    // What is new stands at the top.
    window.scrollTo(0, 0);
    document.title = state === "called" ? patient("called_title") : common("product");
    if (state !== "called") return quiet();
    ring();
    return quiet;
  }, [state]);
  useEffect(() => (state && !isOver(place()) ? stayAwake() : undefined), [state]);
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

function Goodbye({ code }: { code: Code }) {
  return (
    <div class="stack wide-gap">
      <h1>{patient("bye_title")}</h1>
      <p class="lead">{sentence(code)}</p>
      <Button kind="primary" wide onClick={() => location.reload()}>
        {common("reload")}
      </Button>
      <p>{entry("refused_call")}</p>
      <Worse />
    </div>
  );
}
