// The door, and behind it the board: rooms, alerts, columns of magnets, doctors.

import { useEffect, useMemo, useState } from "preact/hooks";
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

/** What is open over the board. */
type Over =
  | { readonly type: "nothing" }
  | { readonly type: "ticket"; readonly ticket: string }
  | { readonly type: "invite" }
  | { readonly type: "issued"; readonly links: readonly IssuedLink[]; readonly missing: number };

const NOTHING: Over = { type: "nothing" };

function Board({ wire }: { wire: Wire }) {
  const [room, setRoom] = useState<string | undefined>();
  const [over, setOver] = useState<Over>(NOTHING);
  const tickets = wire.views.rows("tickets");
  const board = useMemo(() => boardOf(tickets.values(), room), [tickets, room]);
  const rooms = useMemo(() => new Set([...tickets.values()].map((one) => one.room)), [tickets]);
  useTitleCount(wire);
  const open = (ticket: string) => setOver({ type: "ticket", ticket });
  const connected = wire.link.value.state === "connected";
  return (
    <div class={connected ? "page" : "page old"}>
      <Head wire={wire} />
      <LinkBanner link={wire.link} now={wire.clock.now} reassurance={t("cut")} />
      <Rooms
        wire={wire}
        chosen={room}
        onChoose={setRoom}
        onInvite={() => setOver({ type: "invite" })}
      />
      <Alerts wire={wire} onOpen={open} />
      {wire.views.known("tickets") ? (
        <Columns
          wire={wire}
          board={board}
          mixed={room === undefined && rooms.size > 1}
          onOpen={open}
        />
      ) : (
        <p class="soft loading">{common("wait_moment")}</p>
      )}
      <Doctors wire={wire} room={room} />
      <OverBoard wire={wire} room={room} over={over} onOver={setOver} />
    </div>
  );
}

interface OverProps {
  wire: Wire;
  room: string | undefined;
  over: Over;
  onOver(over: Over): void;
}

function OverBoard({ wire, room, over, onOver }: OverProps) {
  const close = () => onOver(NOTHING);
  const issued = (links: readonly IssuedLink[], missing = 0) =>
    onOver({ type: "issued", links, missing });
  switch (over.type) {
    case "nothing":
      return null;
    case "ticket": {
      const ticket = wire.views.rows("tickets").get(over.ticket);
      if (!ticket) return null;
      return <TicketDialog wire={wire} ticket={ticket} onIssued={issued} onClose={close} />;
    }
    case "invite":
      return <Invite wire={wire} room={room} onIssued={issued} onClose={close} />;
    case "issued":
      return <Issued wire={wire} links={over.links} missing={over.missing} onClose={close} />;
  }
}

/** The tab says how many alerts there are, for a board that stands behind another window. */
function useTitleCount(wire: Wire): void {
  const count = wire.views.rows("alerts").size;
  const title = t("title");
  useEffect(() => {
    document.title = count > 0 ? `(${count}) ${title}` : title;
  }, [count, title]);
}
