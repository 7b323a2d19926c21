// `nurse(key)`: the words of the nurse's page.

import { dictionary } from "./dictionary";
import ja from "./nurse.ja";

export const nurse = dictionary(ja, () => import("./nurse.en").then((file) => file.default));
