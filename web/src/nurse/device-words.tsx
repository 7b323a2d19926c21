// What a device tells of itself: battery, signal, clock, and what stands in its way with the one
// thing that helps.

import type { DeviceRow, Trouble } from "../wire/types";
import type { Wire } from "../wire/wire";
import { ago, span } from "../words/common";
import { nurse } from "../words/nurse";
import { CLOCK_WORTH_MS, FAULTS, setupOf, signalBars, STANDS_AT } from "./setup";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";

const DAY_MS = 24 * 3_600_000;
const BARS = [1, 2, 3, 4] as const;

export function Health({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const { battery_percent, signal_dbm, clock_off, last_frame_at, model } = device.status;
  const parts = [model];
  if (battery_percent !== null) parts.push(nurse("battery", { n: battery_percent }));
  if (clock_off !== null && Math.abs(clock_off) >= CLOCK_WORTH_MS) {
    const time = clockSpan(Math.abs(clock_off));
    parts.push(nurse(clock_off > 0 ? "clock_ahead" : "clock_behind", { time }));
  }
  if (last_frame_at !== null && device.ticket) {
    parts.push(nurse("last_frame", { time: ago(wire.clock.now.value - last_frame_at) }));
  }
  return (
    <span class="small soft">
      {parts.join(" · ")}
      {signal_dbm !== null && <Signal dbm={signal_dbm} />}
    </span>
  );
}

/** Clocks are off by days as often as by minutes. */
function clockSpan(ms: number): string {
  const days = Math.round(ms / DAY_MS);
  return days >= 2 ? nurse("days", { n: days }) : span(ms);
}

function Signal({ dbm }: { dbm: number }) {
  const bars = signalBars(dbm);
  return (
    <span class="signal">
      <svg viewBox="0 0 20 16" width="20" height="16" aria-hidden="true">
        {BARS.map((bar) => (
          <rect
            key={bar}
            class={bar <= bars ? "on" : ""}
            x={(bar - 1) * 5}
            y={16 - bar * 4}
            width="4"
            height={bar * 4}
          />
        ))}
      </svg>{" "}
      {nurse(`signal_${bars}`)}
    </span>
  );
}

/** One sentence that names the fault, and one that helps. */
export function TroubleLine({ trouble }: { trouble: Trouble | null }) {
  if (!trouble) return null;
  return (
    <p class="trouble-line" data-trouble={trouble} role="status">
      <strong>{nurse(`trouble_${trouble}`)}</strong> {nurse(`remedy_${trouble}`)}
    </p>
  );
}

/** Seen, paired, battery, clock, worn, value: a tick each, and what to do at the first that lacks. */
export function SetupSteps({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const { trouble } = device.status;
  return (
    <ol class="setup-steps">
      {setupOf(device, wire.clock.now.value).map(({ step, state }) => (
        <li key={step} class={state} data-step={step} data-state={state}>
          <span class="mark" aria-hidden="true">
            {state === "done" ? "✓" : state === "here" ? "→" : "・"}
          </span>
          <span>
            {nurse(`step_${step}`)}
            <span class="unseen"> {nurse(state === "done" ? "step_is_done" : "step_is_open")}</span>
            {state === "here" && !(trouble && STANDS_AT[trouble] === step) && (
              <span class="do">{nurse(`do_${step}`)}</span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** 練習: makes a simulated device fail. */
export function Rehearsal({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const [press, busy] = usePress(wire);
  const { device: id, kind } = device.status;
  return (
    <details class="rehearsal">
      <summary class="small">{nurse("rehearsal")}</summary>
      <div class="row">
        {FAULTS[kind].map((fault) => (
          <Button
            key={fault}
            size="slim"
            disabled={busy}
            data-fault={fault}
            onClick={() => void press({ type: "simulate_fault", device: id, fault })}
          >
            {nurse(`fault_${fault}`)}
          </Button>
        ))}
      </div>
    </details>
  );
}
