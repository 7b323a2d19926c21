// Signs that differ by shape and word, not by colour alone: how urgent, and what happened.

import type { AlertKind, Triage } from "../wire/types";
import { staff } from "../words/staff";
import "./signs.css";

export type Shape = "triangle" | "diamond" | "square" | "circle" | "ring" | "bolt" | "swap";

const PATHS: Record<Shape, string> = {
  triangle: "M10 1.8 19 18H1z",
  diamond: "M10 .8 19.2 10 10 19.2.8 10z",
  square: "M2.5 2.5h15v15h-15z",
  circle: "M10 1.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  ring: "M10 1.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zm0 3.4a5.1 5.1 0 1 1 0 10.2 5.1 5.1 0 0 1 0-10.2z",
  bolt: "M12.4.8 3 11.6h5.4L7 19.2l9.8-11.4h-5.6z",
  swap: "M1 6.2 6 1.4v3.2h12v3.2H6V11zM19 13.8 14 9v3.2H2v3.2h12v3.2z",
};

export function Sign({ shape, size = 14 }: { shape: Shape; size?: number }) {
  return (
    <svg class="sign" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <path fill="currentColor" fill-rule="evenodd" d={PATHS[shape]} />
    </svg>
  );
}

const TRIAGE_SHAPES: Record<Triage, Shape> = {
  emergency: "triangle",
  urgent: "diamond",
  standard: "circle",
  revisit: "ring",
};

export const TRIAGES: readonly Triage[] = ["emergency", "urgent", "standard", "revisit"];

/** How urgent: shape, word and colour say the same. */
export function TriageMark({ triage }: { triage: Triage }) {
  return (
    <span class={`triage ${triage}`}>
      <Sign shape={TRIAGE_SHAPES[triage]} />
      {staff(`triage_${triage}`)}
    </span>
  );
}

export const ALERT_SHAPES: Record<AlertKind, Shape> = {
  emergency: "triangle",
  unanswered: "diamond",
  doctor_gone: "bolt",
  patient_gone: "bolt",
  doctor_silent: "square",
  wrong_patient: "swap",
  device_request: "ring",
  values_changed: "square",
};
