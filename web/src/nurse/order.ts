// The order of the nurse's list: who needs her first stands first. Pure.

import type { TicketRow, TicketState } from "../wire/types";

const RANK: Record<TicketState, number> = {
  called: 0,
  in_visit: 1,
  parked: 2,
  waiting: 3,
  unanswered: 3,
  invited: 4,
  ended: 5,
  left: 6,
};

export function isOver({ state }: Pick<TicketRow, "state">): boolean {
  return state === "ended" || state === "left";
}

const isAlarm = (row: TicketRow) => Number(row.emergency !== null && !isOver(row));

/** 急変 first, then calls, visits, those who wait in the room's order, and what is over. */
export function byNeed(one: TicketRow, other: TicketRow): number {
  const emergency = isAlarm(other) - isAlarm(one);
  if (emergency !== 0) return emergency;
  const state = RANK[one.state] - RANK[other.state];
  if (state !== 0) return state;
  for (const part of [0, 1, 2] as const) {
    const difference = one.rank[part] - other.rank[part];
    if (difference !== 0) return difference;
  }
  return 0;
}
