// The call of a visit: its code is loaded when the visit opens; closing the visit leaves it.

import { useEffect, useState } from "preact/hooks";
import type { Call } from "../call/call";
import type { CallView } from "../call/room";
import type { VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";

export interface HeldCall {
  readonly call: Call | undefined;
  readonly View: typeof CallView | undefined;
  /** The call's code could not be loaded; `again` tries once more. */
  readonly failed: boolean;
  again(): void;
}

export function useCall(wire: Wire, visit: VisitRow): HeldCall {
  const [parts, setParts] = useState<{ call: Call; View: typeof CallView } | undefined>();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let over = false;
    let call: Call | undefined;
    setFailed(false);
    const start = async () => {
      const [own, room] = await Promise.all([import("../call/call"), import("../call/room")]);
      if (over) return;
      call = new own.Call(wire, { staff: true, video: visit.audio_only === null });
      setParts({ call, View: room.CallView });
      await call.join(visit.visit);
    };
    start().catch(() => setFailed(true));
    return () => {
      over = true;
      call?.leave();
    };
  }, [visit.visit, tries]);
  return { call: parts?.call, View: parts?.View, failed, again: () => setTries(tries + 1) };
}
