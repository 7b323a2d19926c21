// 機器の準備: every device of the site with its steps, and the faults that can be rehearsed.

import type { DeviceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { nurse } from "../words/nurse";
import { Card } from "../ui/controls";
import { Back } from "./admit";
import { deviceRows, DirectLine, isDirect, ReadyLine } from "./box-words";
import { Health, Rehearsal, SetupSteps, TroubleLine } from "./device-words";
import { whereWords } from "./devices";

export function SetupPage({ wire }: { wire: Wire }) {
  const devices = [...deviceRows(wire).values()];
  return (
    <Card title={nurse("setup")} class="setup">
      <Back />
      <p class="soft">{nurse("setup_means")}</p>
      <DirectLine wire={wire} />
      <ReadyLine wire={wire} />
      {devices.length === 0 && <p>{nurse("devices_none")}</p>}
      <ul class="stack">
        {devices.map((device) => (
          <li key={device.status.device}>
            <One wire={wire} device={device} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function One({ wire, device }: { wire: Wire; device: DeviceRow }) {
  const { status } = device;
  return (
    <section class="device" data-device={status.device} aria-label={nurse(`device_${status.kind}`)}>
      <div class="about">
        <strong>{nurse(`device_${status.kind}`)}</strong>
        <Health wire={wire} device={device} />
        <span class="small">{whereWords(wire, device, false)}</span>
      </div>
      <TroubleLine trouble={status.trouble} />
      <SetupSteps wire={wire} device={device} />
      {wire.you.value?.rehearsal && !isDirect(wire) && <Rehearsal wire={wire} device={device} />}
    </section>
  );
}
