// A device goes on a patient because somebody said so: picked and confirmed by name, or scanned. One
// that is on somebody else comes off there only when the nurse says that too.

import { useState } from "preact/hooks";
import type { DeviceRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { nurse } from "../words/nurse";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { tell } from "../ui/notice";
import { usePress } from "../ui/press";
import { deviceRows } from "./box-words";
import { ScanButton } from "./scan-button";
import { whatIs } from "./scanned";
import type { TicketProps } from "./ticket";

/** Somebody has it: then it is taken off there first. */
export function isTaken(device: DeviceRow): boolean {
  return device.ticket !== null || device.status.bound !== null;
}

export function AttachButton({ wire, row, device }: TicketProps & { device: DeviceRow }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        kind={isTaken(device) ? "calm" : "primary"}
        disabled={!device.gateway_present}
        data-act="attach"
        onClick={() => setAsking(true)}
      >
        {nurse("attach")}
      </Button>
      {asking && (
        <AttachDialog wire={wire} row={row} device={device} onClose={() => setAsking(false)} />
      )}
    </>
  );
}

interface DialogProps extends TicketProps {
  device: DeviceRow;
  onClose(): void;
}

function AttachDialog({ wire, row, device, onClose }: DialogProps) {
  const [press, busy] = usePress(wire);
  const { status } = device;
  const taken = isTaken(device);
  const attach = async () => {
    await press({ type: "attach", ticket: row.ticket, device: status.device, takes_over: taken });
    onClose();
  };
  return (
    <Dialog
      title={nurse("attach_title", { device: nurse(`device_${status.kind}`), code: row.code })}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={busy} onClick={attach} data-act="attach-do">
          {nurse(taken ? "attach_over" : "attach_do")}
        </Button>
      }
    >
      {row.person && <p class="attach-who">{row.person.name}</p>}
      <p class="small soft">
        {status.model} · {status.device}
      </p>
      {taken && <p class="banner lamp">{takenWords(wire, device)}</p>}
    </Dialog>
  );
}

/** "いま K-27 の方に付いています。はずしてこちらに付けますか" */
function takenWords(wire: Wire, device: DeviceRow): string {
  const code = device.ticket && wire.views.rows("tickets").get(device.ticket)?.code;
  return code ? nurse("attach_taken", { code }) : nurse("attach_taken_someone");
}

/** The wristband shows that it is the right patient, the label picks the device. */
export function ScanDevice({ wire, row }: TicketProps) {
  const [picked, setPicked] = useState<string | undefined>();
  const devices = deviceRows(wire);
  const device = picked ? devices.get(picked) : undefined;
  const take = (text: string) => {
    const tickets = wire.views.rows("tickets");
    const scanned = whatIs(text, [...devices.values()], [...tickets.values()]);
    switch (scanned.is) {
      case "device":
        return setPicked(scanned.device);
      case "ticket": {
        const code = tickets.get(scanned.ticket)?.code ?? "";
        const same = scanned.ticket === row.ticket;
        return tell(same ? nurse("scan_same", { code }) : nurse("scan_other", { code, here: row.code }));
      }
      case "unknown":
        return tell(nurse("scan_unknown"));
    }
  };
  return (
    <>
      <ScanButton onText={take} />
      {device && (
        <AttachDialog wire={wire} row={row} device={device} onClose={() => setPicked(undefined)} />
      )}
    </>
  );
}
