// The door, and behind it the board: rooms, alerts, columns of magnets, doctors.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { LinkBanner } from "../ui/banner";
import { Notice } from "../ui/notice";
import { StaffDoor } from "../ui/sign-in";
import type { IssuedLink } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { t } from "../words/board";
import { Alerts } from "./alerts";
import { Columns } from "./board-columns";
import { boardOf } from "./columns";
import { Doctors } from "./doctors";
import { Head } from "./head";
import { Invite } from "./invite";
import { Issued } from "./issued";
import { Rooms } from "./rooms";
import { TicketDialog } from "./ticket-dialog";

export function App({ wire }: { wire: Wire }) {
  return (
    <>
      <StaffDoor role="coordinator" title={t("title")} wire={wire}>
        <Board wire={wire} />
      </StaffDoor>
      <Notice />
    </>
  );
}

function Board({ wire }: { wire: Wire }) {
  const room = useSignal<string | undefined>(undefined);
  const opened = useSignal<string | undefined>(undefined);
  const inviting = useSignal(false);
  const issued = useSignal<readonly IssuedLink[]>([]);
  const missing = useSignal(0);
  const tickets = wire.views.rows("tickets");
  const board = useMemo(() => boardOf(tickets.values(), room.value), [tickets, room.value]);
  const mixed = useMemo(
    () => new Set([...tickets.values()].map((one) => one.room)).size > 1 && room.value === undefined,
    [tickets, room.value],
  );
  const ticket = opened.value ? tickets.get(opened.value) : undefined;
  useTitleCount(wire);
  const connected = wire.link.value.state === "connected";
  return (
    <div class={connected ? "page" : "page old"}>
      <Head wire={wire} />
      <LinkBanner link={wire.link} now={wire.clock.now} reassurance={t("cut")} />
      <Rooms
        wire={wire}
        chosen={room.value}
        onChoose={(chosen) => {
          room.value = chosen;
        }}
        onInvite={() => {
          inviting.value = true;
        }}
      />
      <Alerts
        wire={wire}
        onOpen={(id) => {
          opened.value = id;
        }}
      />
      {wire.views.known("tickets") ? (
        <Columns
          wire={wire}
          board={board}
          mixed={mixed}
          onOpen={(id) => {
            opened.value = id;
          }}
        />
      ) : (
        <p class="soft loading">{common("wait_moment")}</p>
      )}
      <Doctors wire={wire} room={room.value} />
      {ticket && (
        <TicketDialog
          wire={wire}
          ticket={ticket}
          onIssued={(links) => {
            opened.value = undefined;
            missing.value = 0;
            issued.value = links;
          }}
          onClose={() => {
            opened.value = undefined;
          }}
        />
      )}
      {inviting.value && (
        <Invite
          wire={wire}
          room={room.value}
          onIssued={(links, count) => {
            inviting.value = false;
            missing.value = count;
            issued.value = links;
          }}
          onClose={() => {
            inviting.value = false;
          }}
        />
      )}
      {issued.value.length > 0 && (
        <Issued
          wire={wire}
          links={issued.value}
          missing={missing.value}
          onClose={() => {
            issued.value = [];
          }}
        />
      )}
    </div>
  );
}

/** The tab says how many alerts there are, for a board that stands behind another window. */
function useTitleCount(wire: Wire): void {
  const count = wire.views.rows("alerts").size;
  const title = t("title");
  useEffect(() => {
    document.title = count > 0 ? `(${count}) ${title}` : title;
  }, [count, title]);
}
