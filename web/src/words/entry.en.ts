// Words of the patient's first screen, English.

import type { Phrase } from "./dictionary";
import type { EntryKey } from "./entry.ja";

const words: Record<EntryKey, Phrase> = {
  title: "Online waiting room",
  welcome: "You can see a doctor on this phone.",
  step_join: "Press “Join”",
  step_check: "Check camera and microphone",
  step_wait: "Wait on this screen for your turn",
  nothing_yet: "Your name and your illness have not been sent anywhere yet.",
  join: "Join",
  joining: "Connecting",
  have_code: "Enter with an 8-digit number",
  code_spoken: "A number I was told by telephone",
  code_transfer: "A number on my other screen",
  code_kind: "Which number is it?",
  code: "8-digit number",
  enter: "Enter",
  no_link: "Open the link that you were sent again, or enter the 8-digit number.",
  pending_title: "Checking",
  pending: "This link is open on another device too. The clinic is asked whether this one may be used.",
  pending_wait: "Please wait. This page goes on by itself.",
  refused_call: "If you are not sure, telephone the clinic that sent you the link.",
  worse: "If it suddenly gets worse (hard to breathe, chest pain, confusion), do not wait: call 119.",
  call_119: "Call 119",
};

export default words;
