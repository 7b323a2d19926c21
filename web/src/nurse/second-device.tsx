// 同席許可 from the other side: a link for a second device in the room. It comes in only after a yes,
// and with microphone and speaker off.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { addressOf, spokenText } from "../ui/join-link";
import { usePress } from "../ui/press";
import { Qr } from "../ui/qr";
import type { IssuedLink } from "../wire/types";
import { common } from "../words/common";
import { nurse } from "../words/nurse";
import type { TicketProps } from "./ticket";

export function SecondDevice({ wire, row }: TicketProps) {
  const [link, setLink] = useState<IssuedLink | undefined>();
  const [press, busy] = usePress(wire);
  const make = async () => {
    const outcome = await press({ type: "reissue_link", ticket: row.ticket });
    if (outcome?.type === "issued") setLink(outcome.links[0]);
  };
  return (
    <>
      <Button disabled={busy} onClick={() => void make()} data-act="second-device">
        {nurse("second_device")}
      </Button>
      {link && (
        <Dialog
          title={nurse("second_device")}
          onClose={() => setLink(undefined)}
          cancel={common("close")}
          actions={null}
        >
          <p>{nurse("second_device_means")}</p>
          <Qr text={addressOf(link, location.origin)} label={nurse("second_device_qr")} />
          <p>
            {nurse("second_device_spoken")} <strong class="spoken">{spokenText(link.spoken)}</strong>
          </p>
          <Requests wire={wire} row={row} />
        </Dialog>
      )}
    </>
  );
}

/** 同席許可: a second device wants to show this patient's side. */
export function Requests({ wire, row }: TicketProps) {
  const [press, busy] = usePress(wire);
  return (
    <>
      {row.device_requests.map((request) => (
        <section key={request} class="card stack" data-request={request}>
          <h2>{nurse("allow_title")}</h2>
          <p>{nurse("allow_ask")}</p>
          <div class="row">
            {[true, false].map((yes) => (
              <Button
                key={String(yes)}
                kind={yes ? "primary" : "calm"}
                disabled={busy}
                data-act={yes ? "allow-yes" : "allow-no"}
                onClick={() => void press({ type: "allow_device", ticket: row.ticket, request, yes })}
              >
                {nurse(yes ? "allow_yes" : "allow_no")}
              </Button>
            ))}
          </div>
        </section>
      ))}
    </>
  );
}
