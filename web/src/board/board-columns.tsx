// Columns with magnets: one button a ticket, in the place that its state gives it.

import type { TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/board";
import { COLUMNS, type Column } from "./columns";
import { Magnet } from "./magnet";

/** Magnets drawn in one column; beyond, only their number. */
const MAGNETS_MAX = 120;

interface ColumnsProps {
  wire: Wire;
  board: Record<Column, TicketRow[]>;
  /** Magnets of several rooms: each says of which. */
  mixed: boolean;
  onOpen(ticket: string): void;
}

export function Columns({ wire, board, mixed, onOpen }: ColumnsProps) {
  return (
    <main class="columns">
      {COLUMNS.map((column) => (
        <section key={column} class={`column ${column}`} data-column={column}>
          <h2>
            {t(`column_${column}`)} <span class="count">{board[column].length}</span>
          </h2>
          <ol>
            {board[column].slice(0, MAGNETS_MAX).map((ticket, at) => (
              <Magnet
                key={ticket.ticket}
                wire={wire}
                ticket={ticket}
                place={column === "waiting" ? at + 1 : undefined}
                mixed={mixed}
                onOpen={onOpen}
              />
            ))}
            {board[column].length > MAGNETS_MAX && (
              <li class="soft small">{t("more", { n: board[column].length - MAGNETS_MAX })}</li>
            )}
          </ol>
        </section>
      ))}
    </main>
  );
}
