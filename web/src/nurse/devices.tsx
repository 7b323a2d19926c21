// The devices of the site and on whom they are. The box on the wall decides; this page asks.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { DeviceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { nurse } from "../words/nurse";
import { Button, Card } from "../ui/controls";
import { usePress } from "../ui/press";
import { AttachButton, ScanDevice } from "./attach";
import type { Bluetooth } from "./bluetooth";
import { bluetoothOf } from "./bluetooth-here";
import { deviceRows, isDirect, ReadyLine } from "./box-words";
import { Health, Rehearsal, SetupSteps, TroubleLine } from "./device-words";
import { setupOf } from "./setup";
import type { TicketProps } from "./ticket";

const atTablet = signal<typeof import("./bluetooth-card") | undefined>(undefined);

/** Devices at the tablet itself: only where the browser has it, and loaded only there. */
function AtTablet(props: TicketProps & { bluetooth: Bluetooth }) {
  useEffect(() => {
    void import("./bluetooth-card").then((loaded) => {
      atTablet.value = loaded;
    });
  }, []);
  return atTablet.value ? <atTablet.value.AtTabletCard {...props} /> : null;
}

/** `short`: those on this patient; the others of the site are folded away, not gone. */
export function Devices({ wire, row, short }: TicketProps & { short: boolean }) {
  const bluetooth = bluetoothOf(navigator);
  const devices = [...deviceRows(wire).values()];
  const away = devices.length > 0 && devices.every((device) => !device.gateway_present);
  const here = devices.filter((device) => device.ticket === row.ticket);
  const folds = short && here.length > 0 && here.length < devices.length;
  const others = devices.filter((device) => device.ticket !== row.ticket);
  return (
    <Card title={nurse("devices")} class="devices-card">
      {devices.length === 0 && <p class="soft">{nurse("devices_none")}</p>}
      <ReadyLine wire={wire} />
      {away && <p class="banner lamp">{nurse("gateway_away")}</p>}
      {devices.length > 0 && (
        <div class="row">
          <ScanDevice wire={wire} row={row} />
        </div>
      )}
      <DeviceList wire={wire} row={row} devices={folds ? here : devices} />
      {folds && (
        <details class="fold">
          <summary>{nurse("devices_other", { n: others.length })}</summary>
          <DeviceList wire={wire} row={row} devices={others} />
        </details>
      )}
      {bluetooth && <AtTablet wire={wire} row={row} bluetooth={bluetooth} />}
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
        <Health wire={wire} device={device} />
        <span class="small">{whereWords(wire, device, here)}</span>
      </div>
      <DeviceButtons wire={wire} row={row} device={device} />
      <TroubleLine trouble={status.trouble} />
      {here && <Steps wire={wire} device={device} />}
      {here && wire.you.value?.rehearsal && !isDirect(wire) && <Rehearsal wire={wire} device={device} />}
    </div>
  );
}

/** The steps to a value, folded away once one comes. */
function Steps({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const comes = setupOf(device, wire.clock.now.value).every(({ state }) => state === "done");
  return (
    <details class="fold setup-fold">
      <summary class="small">{nurse(comes ? "setup_done" : "setup")}</summary>
      <SetupSteps wire={wire} device={device} />
    </details>
  );
}

export function whereWords(wire: Wire, device: DeviceRow, here: boolean): string {
  const { connected, trouble } = device.status;
  // A trouble that is named says it better.
  if (device.gateway_present && !connected && !trouble) return nurse("disconnected");
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
    return (
      <div class="row">
        <AttachButton wire={wire} row={row} device={device} />
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
