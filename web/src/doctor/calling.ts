// 呼び入れ: the verb, and the sentence when somebody else was quicker.

import { tell } from "../ui/notice";
import { told } from "../ui/press";
import type { Act } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";

type Calling = Extract<Act, { type: "call_next" | "call_one" }>;

/** Calls; the view brings the patient. A refusal is told, and who was quicker if somebody was. */
export async function callIn(wire: Wire, act: Calling): Promise<void> {
  tell(undefined);
  const answer = await wire.act(act);
  if (answer.type === "refused" && answer.code === "already_taken" && answer.by) {
    tell(t("taken_by", { by: answer.by }));
    return;
  }
  told(answer);
}
