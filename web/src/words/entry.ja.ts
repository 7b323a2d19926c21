// Words of the patient's first screen, Japanese. Kept apart: this screen is the first to be loaded.

import type { Phrase } from "./dictionary";

const words = {
  title: "オンライン診察の待合室",
  welcome: "このスマートフォンで、お医者さんの診察が受けられます。",
  step_join: "「参加する」を押します",
  step_check: "カメラとマイクを確かめます",
  step_wait: "順番が来るまで、この画面で待ちます",
  nothing_yet: "お名前や病気のことは、まだどこにも送られません。",
  join: "参加する",
  joining: "つないでいます",
  have_code: "8けたの番号で入る",
  code_spoken: "電話で聞いた番号",
  code_transfer: "もとの画面に出ている番号",
  code_kind: "どの番号ですか",
  code: "8けたの番号",
  enter: "入る",
  no_link: "送られてきたリンクをもう一度開くか、8けたの番号を入れてください。",
  pending_title: "確認しています",
  pending: "このリンクは別の端末でも開かれています。この端末で受けてよいか、医療機関が確認中です。",
  pending_wait: "このままお待ちください。確認できると、自動で進みます。",
  refused_call: "わからないときは、リンクを送った医療機関へお電話ください。",
  worse: "息が苦しい、胸が痛い、意識がおかしいなど、急に悪くなったときは、待たずに119番へ電話してください。",
  call_119: "119番に電話する",
} satisfies Record<string, Phrase>;

export type EntryKey = keyof typeof words;
export default words as Record<EntryKey, Phrase>;
