// The door, and behind it the desk: the queue without a patient, the visit with one.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { LinkBanner } from "../ui/banner";
import { chime } from "../ui/chime";
import { Notice } from "../ui/notice";
import { StaffDoor } from "../ui/sign-in";
import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { t } from "../words/doctor";
import { Asks } from "./asks";
import { Bar } from "./bar";
import { Desk } from "./desk";
import { changedAtHome, mineOf } from "./queue";
import { Ringing } from "./ringing";
import { VisitPage } from "./visit";

export function App({ wire }: { wire: Wire }) {
  return (
    <>
      <StaffDoor role="doctor" title={t("title")} wire={wire}>
        <Page wire={wire} />
      </StaffDoor>
      <Notice />
    </>
  );
}

function Page({ wire }: { wire: Wire }) {
  const me = wire.you.value?.staff;
  const tickets = wire.views.rows("tickets");
  const mine = useMemo(() => (me ? mineOf(tickets.values(), me) : undefined), [tickets, me]);
  useTitle(wire, me, mine);
  useChangesAtHome(wire, me);
  return (
    <div class="page">
      <Bar wire={wire} />
      <LinkBanner
        link={wire.link}
        now={wire.clock.now}
        reassurance={t(mine ? "cut_in_call" : "cut_at_desk")}
      />
      <Asks wire={wire} />
      {me && wire.views.known("tickets") ? (
        <Place wire={wire} me={me} mine={mine} />
      ) : (
        <p class="soft loading">{common("wait_moment")}</p>
      )}
    </div>
  );
}

function Place({ wire, me, mine }: { wire: Wire; me: string; mine: TicketRow | undefined }) {
  if (!mine) return <Desk wire={wire} me={me} />;
  if (mine.state === "called") return <Ringing key={mine.ticket} wire={wire} ticket={mine} />;
  return <VisitPage key={mine.visit} wire={wire} me={me} ticket={mine} />;
}

/** Values changed at somebody's home where this doctor is on duty: heard once, seen in the queue. */
function useChangesAtHome(wire: Wire, me: string | null | undefined): void {
  const doctor = me ? wire.views.rows("doctors").get(me) : undefined;
  const rooms = doctor?.duty === "on" ? doctor.rooms : [];
  const heard = useRef(new Set<string>());
  const fresh = changedAtHome(wire.views.rows("tickets").values(), rooms).join(" ");
  useEffect(() => {
    const before = heard.current;
    const all = fresh.split(" ").filter(Boolean);
    if (all.some((ticket) => !before.has(ticket))) chime();
    heard.current = new Set(all);
  }, [fresh]);
}

/**
 * The tab says whose turn it is, by the code that is said aloud and nothing else; without a
 * patient, how many wait where this doctor is on duty.
 */
function useTitle(wire: Wire, me: string | null | undefined, mine: TicketRow | undefined): void {
  const doctor = me ? wire.views.rows("doctors").get(me) : undefined;
  const rooms = wire.views.rows("rooms");
  const waiting =
    doctor?.duty === "on"
      ? doctor.rooms.reduce((sum, room) => sum + (rooms.get(room)?.waiting ?? 0), 0)
      : 0;
  const title = t("title");
  useEffect(() => {
    if (mine) document.title = `${mine.code} · ${title}`;
    else document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
  }, [mine?.code, waiting, title]);
}
