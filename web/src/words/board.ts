// `t(key)`: the words of the board.

import ja from "./board.ja";
import { dictionary } from "./dictionary";

export const t = dictionary(ja, () => import("./board.en").then((file) => file.default));
