// `entry(key)`: the words of the patient's first screen.

import { dictionary } from "./dictionary";
import ja from "./entry.ja";

export const entry = dictionary(ja, () => import("./entry.en").then((file) => file.default));
