// How much picture goes to the others: the line decides, or the doctor does. Voice and values always
// come first, whatever is chosen.

import { useEffect, useState } from "preact/hooks";
import type { Call } from "../call/call";
import type { LadderStep } from "../wire/types";
import { t } from "../words/doctor";

const CHOICES = [
  { step: null, words: "pin_auto" },
  { step: "thumbnail", words: "pin_small" },
  { step: "stills", words: "pin_stills" },
  { step: "audio_only", words: "pin_voice" },
] as const satisfies readonly { step: LadderStep | null; words: string }[];

export function PinPicture({ call }: { call: Call }) {
  const [step, setStep] = useState<LadderStep | null>(null);
  const others = call.seats.value.map((seat) => seat.participant);
  useEffect(() => {
    // Whoever comes later is held as well; nothing is said while the line decides for everybody.
    if (step !== null) for (const participant of others) call.pin(participant, step);
  }, [call, others.join(" "), step]);
  const choose = (chosen: LadderStep | null) => {
    setStep(chosen);
    if (chosen === null) for (const participant of others) call.pin(participant, null);
  };
  return (
    <div class="segments pin" role="group" aria-label={t("pin")}>
      {CHOICES.map((choice) => (
        <button
          key={choice.words}
          type="button"
          class="segment"
          aria-pressed={step === choice.step}
          data-pin={choice.step ?? "auto"}
          onClick={() => choose(choice.step)}
        >
          {t(choice.words)}
        </button>
      ))}
    </div>
  );
}
