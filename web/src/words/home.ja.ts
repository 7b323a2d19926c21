// Words of the page at home, Japanese. Never a word that frightens or judges.

import type { Phrase } from "./dictionary";

const words = {
  title: "おうちではかる",
  will_call: "先生から連絡があります",
  will_call_stay:
    "この画面を開いたままお待ちください。呼び出しの音が鳴ります。閉じているときは、お電話することがあります。",
  last_call: "前の診察",
  due_title: "次にはかるもの",
  due: "{what}　{time}まで",
  enter_means: "はかった値を入れてください。看護師に伝わり、決めた範囲を外れると医師に知らせます。",
  last: "伝えた値",
  what_systolic: "血圧（上）",
  what_diastolic: "血圧（下）",
  what_pulse_rate: "脈",
  what_spo2: "血液の酸素",
  what_temperature: "体温",
  what_weight: "体重",
  what_heart_rate: "心拍",
  what_respiration_rate: "呼吸",
  what_glucose: "血糖",
} satisfies Record<string, Phrase>;

export type HomeKey = keyof typeof words;
export default words as Record<HomeKey, Phrase>;
