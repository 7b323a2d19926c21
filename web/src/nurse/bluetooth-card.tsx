// このタブレットにつなぐ: devices that hang at the tablet itself. Loaded where the browser has it.

import { effect } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Wire } from "../wire/wire";
import { ago } from "../words/common";
import { sentence } from "../words/codes";
import { nurse } from "../words/nurse";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { type Bluetooth, type Hanging, Tablet } from "./bluetooth";
import { isOver } from "./order";
import type { TicketProps } from "./ticket";

let tablet: Tablet | undefined;

/** One for the page: devices hang on while the nurse looks at another patient. */
function tabletOf(wire: Wire, bluetooth: Bluetooth): Tablet {
  if (tablet) return tablet;
  const made = new Tablet(bluetooth, {
    now: () => wire.clock.read(),
    act: (act) => wire.act(act, { mayWait: true }),
    newBoot: () => {
      const drawn = crypto.getRandomValues(new Uint8Array(8));
      return [...drawn].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  });
  leaveWithPatients(wire, made);
  // A closed page hears nothing: what hangs there is on nobody, as far as it can still be said.
  addEventListener("pagehide", () => made.close());
  tablet = made;
  return made;
}

/** Whose visit is over, or who was another person, has none of these devices any more. */
function leaveWithPatients(wire: Wire, all: Tablet): void {
  const wrong = new Map<string, boolean>();
  effect(() => {
    for (const row of wire.views.rows("tickets").values()) {
      const isWrong = row.why === "wrong_patient";
      const turned = isWrong && wrong.get(row.ticket) === false;
      wrong.set(row.ticket, isWrong);
      if (turned || isOver(row)) all.leave(row.ticket);
    }
  });
}

export function AtTabletCard({ wire, row, bluetooth }: TicketProps & { bluetooth: Bluetooth }) {
  const [busy, setBusy] = useState(false);
  const all = tabletOf(wire, bluetooth);
  const here = all.hanging.value.filter(({ ticket }) => ticket === row.ticket);
  const choose = async () => {
    setBusy(true);
    await all.choose(row.ticket);
    setBusy(false);
  };
  return (
    <div class="stack at-tablet">
      <ul class="stack">
        {here.map((hanging) => (
          <li key={hanging.device}>
            <One wire={wire} hanging={hanging} onDrop={() => all.drop(hanging)} onAgain={() => all.again(hanging)} />
            {hanging.elsewhere.value && <TakeOver all={all} hanging={hanging} code={row.code} />}
          </li>
        ))}
      </ul>
      <p class="small soft">{nurse("tablet_means")}</p>
      <Button disabled={busy} onClick={choose} data-act="web-bluetooth">
        {nurse("tablet_connect")}
      </Button>
    </div>
  );
}

/** It is on somebody else: it comes off there only when the nurse says so. */
function TakeOver({ all, hanging, code }: { all: Tablet; hanging: Hanging; code: string }) {
  return (
    <Dialog
      title={nurse("attach_title", { device: hanging.model, code })}
      onClose={() => all.decline(hanging)}
      actions={
        <Button kind="primary" onClick={() => void all.takeOver(hanging)} data-act="tablet-take-over">
          {nurse("attach_over")}
        </Button>
      }
    >
      <p class="banner lamp">{nurse("attach_taken_someone")}</p>
    </Dialog>
  );
}

interface OneProps {
  wire: Wire;
  hanging: Hanging;
  onDrop(): void;
  onAgain(): Promise<void>;
}

function One({ wire, hanging, onDrop, onAgain }: OneProps) {
  const state = hanging.state.value;
  const { waiting, unread, refused } = hanging.frames;
  const parts = [hanging.model];
  if (hanging.battery.value !== undefined) parts.push(nurse("battery", { n: hanging.battery.value }));
  if (hanging.lastAt.value !== undefined) {
    parts.push(nurse("last_frame", { time: ago(wire.clock.now.value - hanging.lastAt.value) }));
  }
  return (
    <div class="device here" data-tablet={hanging.device} data-state={state}>
      <div class="about" role="status">
        <strong>{nurse(`tablet_${state}`)}</strong>
        <span class="small soft">{parts.join(" · ")}</span>
        {refused.value && <span class="small">{sentence(refused.value)}</span>}
        {waiting.value > 0 && <span class="small">{nurse("tablet_waiting", { n: waiting.value })}</span>}
        {unread.value > 0 && <span class="small">{nurse("tablet_unread", { n: unread.value })}</span>}
      </div>
      {state === "measured" && (
        <Button onClick={() => void onAgain()} data-act="tablet-again">
          {nurse("tablet_again")}
        </Button>
      )}
      <Button onClick={onDrop} data-act="tablet-drop">
        {nurse("detach")}
      </Button>
    </div>
  );
}
