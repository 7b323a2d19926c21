// `patient(key)`: the words of the patient's page behind the first screen.

import { dictionary } from "./dictionary";
import ja from "./patient.ja";

export const patient = dictionary(ja, () => import("./patient.en").then((file) => file.default));
