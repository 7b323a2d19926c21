// `home(key)`: the words of the page at home.

import { dictionary } from "./dictionary";
import ja from "./home.ja";

export const home = dictionary(ja, () => import("./home.en").then((file) => file.default));
