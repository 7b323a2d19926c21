// The call on a page: everybody's picture with a name, the own one small, switches, and truth about
// what is frozen or gone.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { sentence } from "../words/codes";
import { ago, common, timeOfDay } from "../words/common";
import { Button } from "../ui/controls";
import { useSettled } from "../ui/settled";
import { Call, type Seat } from "./call";
import { Picture, Sound } from "./media";
import "./room.css";

interface RoomProps {
  wire: Wire;
  visit: VisitRow;
  /** Staff may send auscultation. */
  staff?: boolean;
  /** A call of one's own making, when the page wants its waves or state; else one is made here. */
  call?: Call;
  /** What a page adds of its own, below the switches. */
  more?(call: Call): ComponentChildren;
}

export function CallRoom({ wire, visit, staff = false, call: given, more }: RoomProps) {
  const call = useMemo(
    () => given ?? new Call(wire, { staff, video: !visit.audio_only }),
    [given],
  );
  useEffect(() => {
    void call.join(visit.visit);
    return () => call.leave();
  }, [call, visit.visit]);
  const audioOnly = visit.audio_only !== null;
  useEffect(() => {
    if (audioOnly) void call.own.setCamera(false);
  }, [call, audioOnly]);
  return (
    <>
      <CallView call={call} visit={visit} />
      {more?.(call)}
    </>
  );
}

/** Shows a call that somebody else joins and leaves. */
export function CallView({ call, visit }: { call: Call; visit: VisitRow }) {
  const seats = call.seats.value;
  const alone = seats.length === 1 ? seats[0]?.participant : undefined;
  useEffect(() => {
    // One face fills the screen; with more of them the relay's middle size is enough.
    if (alone) call.want(alone, "full");
    return () => {
      if (alone) call.want(alone, "half");
    };
  }, [call, alone]);
  return (
    <section class="call" aria-label={common("call")}>
      <div class={`seats of-${Math.min(seats.length, 5)}`}>
        {seats.map((seat) => (
          <SeatView key={seat.participant} call={call} seat={seat} visit={visit} />
        ))}
        {seats.length === 0 && <p class="nobody">{common("call_nobody")}</p>}
        <Own call={call} />
        {call.hearing.needsTap.value && (
          <div class="tap-to-hear">
            <Button kind="lamp" size="big" wide onClick={() => call.hearing.tap()}>
              {common("tap_to_hear")}
            </Button>
          </div>
        )}
      </div>
      <Truth call={call} />
      <Switches call={call} />
      <Auscultation call={call} />
    </section>
  );
}

function nameOf(seat: Seat, visit: VisitRow): string {
  const party = visit.parties.find((one) => one.participant === seat.participant);
  const role = common(party?.shared_endpoint ? "shared_endpoint" : `role_${seat.role}`);
  return party?.name ? `${role} ${party.name}` : role;
}

function SeatView({ call, seat, visit }: { call: Call; seat: Seat; visit: VisitRow }) {
  const name = nameOf(seat, visit);
  // What was said of somebody before the line fell silent is no word about now.
  const isHeard = seat.audio && seat.given_up !== "sound" && call.state.value.type === "live";
  return (
    <figure class="seat" data-participant={seat.participant}>
      <Picture call={call} stream={seat.stream} shown={seat.video} label={name} />
      {seat.still && <img class="still" src={seat.still.url} alt={common("still_of", { name })} />}
      {!seat.video && !seat.still && (
        <span class="no-picture">{common(wordsFor(seat))}</span>
      )}
      <figcaption>
        <span class="name">{name}</span>
        <span class={isHeard ? "chip moss" : "chip grey"}>{common(isHeard ? "heard" : "not_heard")}</span>
        {seat.still && (
          <span class="chip lamp still-age">
            {common("still_age", { ago: ago(call.now.value - seat.still.taken) })}
          </span>
        )}
        {seat.own_link && <span class="chip lamp">{common(seat.video ? "their_line_size" : "their_line_picture")}</span>}
        {seat.unsent && !seat.own_link && seat.video && <span class="chip grey">{common("their_picture_small")}</span>}
        {seat.frozenSince !== undefined && (
          <span class="chip lamp">{common("frozen_since", { time: timeOfDay(seat.frozenSince) })}</span>
        )}
      </figcaption>
    </figure>
  );
}

/** Why there is no picture of somebody. */
function wordsFor(seat: Seat): "picture_given_up" | "picture_codec" | "no_picture" {
  if (seat.given_up === "codec") return "picture_codec";
  return seat.given_up === "picture" ? "picture_given_up" : "no_picture";
}

function Own({ call }: { call: Call }) {
  const stream = call.own.stream.value;
  if (!stream || !call.own.camera.value) return null;
  return (
    <div class="own-picture">
      <Picture stream={stream} shown label={common("you")} own />
    </div>
  );
}

/** What is wrong with the call now, if anything, since when. */
function Truth({ call }: { call: Call }) {
  const words = truthOf(call);
  const own = ownPicture(call);
  return (
    <div class="truth" role="status" aria-live="polite">
      {words && <p class="banner lamp waiting">{words}</p>}
      {own && <p class="banner own-line">{own}</p>}
    </div>
  );
}

/** What of the own picture does not go out to the others. */
function ownPicture(call: Call): string | undefined {
  const unsent = call.unsent.value;
  const stream = call.own.stream.value;
  // A camera that is off says so itself.
  const shows = call.own.camera.value && (stream?.getVideoTracks().length ?? 0) > 0;
  if (!unsent || !shows || call.state.value.type !== "live") return undefined;
  return common(`unsent_${unsent}`);
}

function truthOf(call: Call): string | undefined {
  const state = call.state.value;
  switch (state.type) {
    case "idle":
      return undefined;
    case "live":
      return reducedTo(call);
    case "asking":
      return common("media_asking");
    case "connecting":
      return common("media_connecting");
    case "restarting":
      return `${common("media_restarting")}（${common("link_cut_since", { time: timeOfDay(state.since) })}）`;
    case "gone":
      if (state.code === "relay_away" || state.code === "visit_full") return sentence(state.code);
      return `${common("media_gone")}（${common("link_cut_since", { time: timeOfDay(state.since) })}）`;
  }
}

/** What is given up for want of room on the line, and what goes on. */
function reducedTo(call: Call): string | undefined {
  const reduced = call.reduced.value;
  if (!reduced || reduced.step === "full") return undefined;
  return `${common(`because_${reduced.because}`)}${common(`reduced_${reduced.step}`)}`;
}

function Switches({ call }: { call: Call }) {
  const settled = useSettled();
  const faults = call.own.faults.value;
  const state = (on: boolean) => common(on ? "on" : "off");
  return (
    <div class="switches">
      <Button
        aria-pressed={call.own.microphone.value}
        disabled={!settled || faults.audio !== undefined}
        onClick={() => call.own.setMicrophone(!call.own.microphone.value)}
      >
        {common("microphone")} {state(call.own.microphone.value)}
      </Button>
      <Button
        aria-pressed={call.own.camera.value}
        disabled={!settled}
        onClick={() => void call.own.setCamera(!call.own.camera.value)}
      >
        {common("camera")} {state(call.own.camera.value)}
      </Button>
      {call.hearing.companion.value && (
        <Button
          aria-pressed={call.hearing.speaker.value}
          onClick={() => {
            call.hearing.speaker.value = !call.hearing.speaker.value;
          }}
        >
          {common("speaker")} {state(call.hearing.speaker.value)}
        </Button>
      )}
      {(faults.audio || faults.video) && (
        <div class="faults">
          {faults.audio && <p>{common(`fault_audio_${faults.audio}`)}</p>}
          {faults.video && <p>{common(`fault_video_${faults.video}`)}</p>}
          <Button onClick={() => void call.own.askAgain()}>{common("retry")}</Button>
        </div>
      )}
    </div>
  );
}

function Auscultation({ call }: { call: Call }) {
  const line = call.auscultation.value;
  return line ? <Sound call={call} stream={line.stream} /> : null;
}
