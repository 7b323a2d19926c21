// `sentence(code)`: a refusal as a sentence.

import type { Code } from "../wire/types";
import ja from "./codes.ja";
import { dictionary } from "./dictionary";

const words = dictionary<Code>(ja, () => import("./codes.en").then((file) => file.default));

export const sentence = (code: Code): string => words(code);
