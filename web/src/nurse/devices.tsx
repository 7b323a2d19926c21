// The devices of the site and on whom they are. The box on the wall decides; this page asks.

import type { DeviceKind, DeviceRow, SimulatedFault } from "../wire/types";
import type { Wire } from "../wire/wire";
import { ago } from "../words/common";
import { nurse } from "../words/nurse";
import { Button, Card } from "../ui/controls";
import { usePress } from "../ui/press";
import type { TicketProps } from "./ticket";

const EVERY: readonly SimulatedFault[] = [
  "silent",
  "battery_empty",
  "not_paired",
  "clock_wrong",
  "held_elsewhere",
  "implausible",
];
/** What a simulated device of each kind can be told to suffer. */
const FAULTS: Record<DeviceKind, readonly SimulatedFault[]> = {
  cuff: ["cuff_error", "body_movement", "cuff_loose", ...EVERY],
  oximeter: ["low_perfusion", "sensor_displaced", "sensor_off", ...EVERY],
  thermometer: EVERY,
  heart_monitor: ["sensor_off", ...EVERY],
  scale: EVERY,
  glucose_meter: EVERY,
  person: [],
};

/** `short`: those on this patient; the others of the site are folded away, not gone. */
export function Devices({ wire, row, short }: TicketProps & { short: boolean }) {
  const devices = [...wire.views.rows("devices").values()];
  const away = devices.length > 0 && devices.every((device) => !device.gateway_present);
  const here = devices.filter((device) => device.ticket === row.ticket);
  const folds = short && here.length > 0 && here.length < devices.length;
  const others = devices.filter((device) => device.ticket !== row.ticket);
  return (
    <Card title={nurse("devices")} class="devices-card">
      {devices.length === 0 && <p class="soft">{nurse("devices_none")}</p>}
      {away && <p class="banner lamp">{nurse("gateway_away")}</p>}
      <DeviceList wire={wire} row={row} devices={folds ? here : devices} />
      {folds && (
        <details class="fold">
          <summary>{nurse("devices_other", { n: others.length })}</summary>
          <DeviceList wire={wire} row={row} devices={others} />
        </details>
      )}
    </Card>
  );
}

function DeviceList({ wire, row, devices }: TicketProps & { devices: readonly DeviceRow[] }) {
  return (
    <ul class="stack devices">
      {devices.map((device) => (
        <li key={device.status.device}>
          <Device wire={wire} row={row} device={device} />
        </li>
      ))}
    </ul>
  );
}

type DeviceProps = TicketProps & { device: DeviceRow };

function Device({ wire, row, device }: DeviceProps) {
  const { status } = device;
  const here = device.ticket === row.ticket;
  return (
    <div class={here ? "device here" : "device"} data-device={status.device}>
      <div class="about">
        <strong>{nurse(`device_${status.kind}`)}</strong>
        <span class="small soft">
          {status.model}
          {status.battery_percent !== null && ` · ${nurse("battery", { n: status.battery_percent })}`}
        </span>
        <span class="small">{whereWords(wire, device, here)}</span>
        {status.last_frame_at !== null && here && (
          <span class="small soft">
            {nurse("last_frame", { time: ago(wire.clock.now.value - status.last_frame_at) })}
          </span>
        )}
      </div>
      <DeviceButtons wire={wire} row={row} device={device} />
      {here && wire.you.value?.rehearsal && <Rehearsal wire={wire} device={device} />}
    </div>
  );
}

function whereWords(wire: Wire, device: DeviceRow, here: boolean): string {
  if (device.gateway_present && !device.status.connected) return nurse("disconnected");
  if (here) return nurse("on_this");
  if (device.ticket) {
    const code = wire.views.rows("tickets").get(device.ticket)?.code;
    return code ? nurse("on_other", { code }) : nurse("on_someone");
  }
  return nurse(device.status.bound ? "on_someone" : "on_nobody");
}

function DeviceButtons({ wire, row, device }: DeviceProps) {
  const [press, busy] = usePress(wire);
  const { status } = device;
  const off = busy || !device.gateway_present;
  if (device.ticket !== row.ticket) {
    // On somebody else: it is taken off there first, on purpose, by hand.
    const free = !device.ticket && !status.bound;
    return (
      <div class="row">
        <Button
          kind={free ? "primary" : "calm"}
          disabled={off || !free}
          data-act="attach"
          onClick={() =>
            void press({ type: "attach", ticket: row.ticket, device: status.device, takes_over: false })
          }
        >
          {nurse("attach")}
        </Button>
      </div>
    );
  }
  return (
    <div class="row">
      {status.startable && (
        <Button
          kind="primary"
          disabled={off || status.measuring || !status.connected}
          data-act="measure"
          onClick={() => void press({ type: "measure", device: status.device })}
        >
          {nurse(status.measuring ? "measuring" : "measure")}
        </Button>
      )}
      <Button
        disabled={off}
        data-act="detach"
        onClick={() => void press({ type: "detach", device: status.device })}
      >
        {nurse("detach")}
      </Button>
    </div>
  );
}

function Rehearsal({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const [press, busy] = usePress(wire);
  return (
    <details class="rehearsal">
      <summary class="small">{nurse("rehearsal")}</summary>
      <div class="row">
        {FAULTS[device.status.kind].map((fault) => (
          <Button
            key={fault}
            size="slim"
            disabled={busy}
            data-fault={fault}
            onClick={() =>
              void press({ type: "simulate_fault", device: device.status.device, fault })
            }
          >
            {nurse(`fault_${fault}`)}
          </Button>
        ))}
      </div>
    </details>
  );
}
