// A press on a button that carries a verb: busy while it is on its way, and a sentence when not.

import { type Signal, signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Answer } from "../wire/acts";
import type { Act, Code, Outcome } from "../wire/types";
import type { Wire } from "../wire/wire";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { tell } from "./notice";

/** The last press was refused, and why; the step that is missing listens. */
export const refusal: Signal<{ readonly code: Code } | undefined> = signal(undefined);

/** Tells the person what became of a verb unless it was done; gives its outcome if it was. */
export function told(answer: Answer): Outcome | undefined {
  switch (answer.type) {
    case "done":
      return answer.outcome;
    case "refused":
      refusal.value = { code: answer.code };
      tell(answer.by ? `${sentence(answer.code)}（${answer.by}）` : sentence(answer.code));
      return undefined;
    case "not_sent":
      tell(common("not_sent"));
      return undefined;
  }
}

/** `[press, busy]`: `press(act)` carries a verb out and tells refusals. */
export function usePress(
  wire: Wire,
): [(act: Act, options?: { mayWait?: boolean }) => Promise<Outcome | undefined>, boolean] {
  const [flying, setFlying] = useState(0);
  const press = async (act: Act, options?: { mayWait?: boolean }) => {
    tell(undefined);
    setFlying((count) => count + 1);
    const answer = await wire.act(act, options);
    setFlying((count) => count - 1);
    return told(answer);
  };
  return [press, flying > 0];
}
