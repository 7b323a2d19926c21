// A soft chime while a doctor calls: two warm notes, again and again, nothing that frightens.

const NOTES_HZ = [523.25, 659.25];
const REPEAT_MS = 3_500;
const LOUD = 0.22;

let context: AudioContext | undefined;
let repeating: ReturnType<typeof setInterval> | undefined;

function unlocked(): AudioContext | undefined {
  try {
    context ??= new AudioContext();
  } catch {
    return undefined; // No sound here: the screen and the vibration call.
  }
  if (context.state === "suspended") void context.resume().catch(() => undefined);
  return context;
}

/** Browsers play sound only after a touch: the first one anywhere on the page is enough. */
if (typeof window !== "undefined") {
  window.addEventListener("pointerdown", () => void unlocked(), { once: true });
}

function note(audio: AudioContext, hertz: number, at: number): void {
  const tone = audio.createOscillator();
  const loudness = audio.createGain();
  tone.type = "sine";
  tone.frequency.value = hertz;
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(LOUD, at + 0.06);
  loudness.gain.exponentialRampToValueAtTime(0.001, at + 1.4);
  tone.connect(loudness).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 1.5);
}

function once(): void {
  navigator.vibrate?.([180, 120, 180]);
  const audio = unlocked();
  if (audio?.state !== "running") return;
  for (const [index, hertz] of NOTES_HZ.entries()) {
    note(audio, hertz, audio.currentTime + index * 0.35);
  }
}

/** Two notes, once: something has come that nobody has to answer this second. */
export function chime(): void {
  once();
}

/** Rings until `quiet`. */
export function ring(): void {
  if (repeating !== undefined) return;
  once();
  repeating = setInterval(once, REPEAT_MS);
}

export function quiet(): void {
  if (repeating === undefined) return;
  clearInterval(repeating);
  repeating = undefined;
  navigator.vibrate?.(0);
}
