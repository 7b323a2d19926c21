// `t(key)`: the words of the doctor's page.

import { dictionary } from "./dictionary";
import ja from "./doctor.ja";

export const t = dictionary(ja, () => import("./doctor.en").then((file) => file.default));
