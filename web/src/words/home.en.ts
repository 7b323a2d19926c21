// Words of the page at home, English.

import type { Phrase } from "./dictionary";
import type { HomeKey } from "./home.ja";

const words: Record<HomeKey, Phrase> = {
  title: "Measuring at home",
  will_call: "A doctor will call you",
  will_call_stay:
    "Please keep this page open: it rings when the doctor calls. If it is closed, you may get a telephone call.",
  last_call: "The last visit",
  due_title: "To be measured next",
  due: "{what}, by {time}",
  enter_means: "Enter what you have measured. The clinic's nurse will see it; when a rule says so, a doctor is called.",
  last: "Values you have told",
  what_systolic: "Blood pressure (upper)",
  what_diastolic: "Blood pressure (lower)",
  what_pulse_rate: "Pulse",
  what_spo2: "Oxygen in the blood",
  what_temperature: "Temperature",
  what_weight: "Weight",
  what_heart_rate: "Heart beat",
  what_respiration_rate: "Breathing",
  what_glucose: "Blood sugar",
};

export default words;
