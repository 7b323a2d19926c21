// Inviting one or many: who gets a link into which room.

import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import type { IssuedLink } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/board";
import { InviteMany } from "./invite-many";
import { InviteOne } from "./invite-one";
import { batchesOf } from "./links";
import type { Line } from "./people";

interface InviteProps {
  wire: Wire;
  /** The room that the board shows, if it shows one. */
  room: string | undefined;
  /** `missing`: so many were asked for and got none. */
  onIssued(links: readonly IssuedLink[], missing: number): void;
  onClose(): void;
}

/** Sends a list, in parts if it is long, and shows the links that came of it. */
export type Send = (people: readonly Line["invitation"][]) => Promise<void>;

export function Invite({ wire, room, onIssued, onClose }: InviteProps) {
  const rooms = [...wire.views.rows("rooms").values()];
  const [chosen, setChosen] = useState(room ?? rooms.find((one) => !one.intake_closed)?.room ?? "");
  const [many, setMany] = useState(false);
  const [press, busy] = usePress(wire);
  const send: Send = async (people) => {
    const links: IssuedLink[] = [];
    for (const part of batchesOf(people)) {
      const outcome = await press({ type: "invite", room: chosen, people: part });
      if (outcome?.type !== "issued") break;
      links.push(...outcome.links);
    }
    // Whoever has a link already is shown it, even when a later part was refused.
    if (links.length > 0) onIssued(links, people.length - links.length);
  };
  return (
    <Dialog title={t("invite_title")} onClose={onClose}>
      <div class={many ? "wide-dialog stack" : "stack"}>
        <div class="invite-head">
          <div class="segments" role="group" aria-label={t("invite_title")}>
            <button
              type="button"
              class="segment"
              aria-pressed={!many}
              onClick={() => setMany(false)}
            >
              {t("invite_one")}
            </button>
            <button type="button" class="segment" aria-pressed={many} onClick={() => setMany(true)}>
              {t("invite_many")}
            </button>
          </div>
          <label class="room-choice">
            <span>{t("room")}</span>
            <select
              class="input"
              value={chosen}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              {rooms.map((one) => (
                <option key={one.room} value={one.room} disabled={one.intake_closed}>
                  {one.name}
                  {one.intake_closed && `（${t("intake_is_closed")}）`}
                </option>
              ))}
            </select>
          </label>
        </div>
        {many ? (
          <InviteMany wire={wire} busy={busy} onSend={send} />
        ) : (
          <InviteOne wire={wire} busy={busy} onSend={send} />
        )}
      </div>
    </Dialog>
  );
}
