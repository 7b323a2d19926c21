// The pulse wave as a sweeping line, with its clock and gain in sight; a hole is left as a hole.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Call } from "../call/call";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { clockTime } from "./now-tiles";
import { Trace, WINDOW_MS } from "./trace";

const GAINS = [0.5, 1, 2, 4] as const;
/** A second is at least so wide, so that a beat can be seen; narrow places show fewer seconds. */
const SECOND_PX = 48;
const SECONDS_MIN = 4;
/** What is wiped in front of the head, so that old and new are told apart. */
const WIPED_MS = 500;
const CLOCK_MS = 500;
const BYTE_MAX = 255;

interface Shown {
  readonly clock: string | undefined;
  readonly silentMs: number | undefined;
}

export function Wave({ call }: { call: Call | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const trace = useMemo(() => new Trace(), [call]);
  const [gain, setGain] = useState<number>(1);
  const [shown, setShown] = useState<Shown>({ clock: undefined, silentMs: undefined });
  useEffect(() => call?.hearing.onWave((block) => trace.take(block, performance.now())), [call, trace]);
  useEffect(() => sweep(canvas, trace, gain), [trace, gain]);
  useEffect(() => {
    const timer = setInterval(() => setShown(look(trace)), CLOCK_MS);
    return () => clearInterval(timer);
  }, [trace]);
  const clock = shown.clock ?? "";
  const said = wordsOf(shown, call?.wavesWait.value ?? false);
  return (
    <figure class="wave">
      <figcaption>
        <b>{t("wave")}</b>
        <span class="wave-clock">{clock}</span>
        <Gains gain={gain} onGain={setGain} />
      </figcaption>
      <canvas ref={canvas} role="img" aria-label={t("wave_label", { gain, clock: clock || "–" })} />
      {said && <p class="wave-said">{said}</p>}
    </figure>
  );
}

/** Why there is no wave, or how long for. */
function wordsOf({ clock, silentMs }: Shown, waits: boolean): string | undefined {
  if (clock !== undefined && silentMs === undefined) return undefined;
  if (waits) return t("wave_waits");
  return silentMs === undefined ? t("wave_none") : t("wave_silent", { time: span(silentMs) });
}

function look(trace: Trace): Shown {
  const now = performance.now();
  const head = trace.head(now);
  if (head === undefined) return { clock: undefined, silentMs: undefined };
  return { clock: clockTime(head), silentMs: trace.silentMs(now) };
}

function Gains({ gain, onGain }: { gain: number; onGain(gain: number): void }) {
  return (
    <span class="gains" role="group" aria-label={t("gain")} title={t("gain")}>
      {GAINS.map((one) => (
        <button key={one} type="button" aria-pressed={one === gain} onClick={() => onGain(one)}>
          ×{one === 0.5 ? "½" : one}
        </button>
      ))}
    </span>
  );
}

/** Draws as long as the returned function is not called. */
function sweep(
  canvas: { readonly current: HTMLCanvasElement | null },
  trace: Trace,
  gain: number,
): () => void {
  let frame = requestAnimationFrame(function again() {
    if (canvas.current) draw(canvas.current, trace, gain, performance.now());
    frame = requestAnimationFrame(again);
  });
  return () => cancelAnimationFrame(frame);
}

function draw(canvas: HTMLCanvasElement, trace: Trace, gain: number, now: number): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const windowMs = windowOf(width);
  drawSeconds(pen, width, height, windowMs);
  const head = trace.head(now);
  if (head === undefined) return;
  const segments = trace.segments(head - windowMs + WIPED_MS, head);
  const xOf = (at: number) => ((at % windowMs) / windowMs) * width;
  const all = segments.flat();
  // Centred on what is seen; the height stays that of the gain, never stretched to fit.
  const middle = (extreme(all, Math.min, 0) + extreme(all, Math.max, BYTE_MAX)) / 2;
  const yOf = (y: number) => height / 2 - ((y - middle) / BYTE_MAX) * gain * height * 0.9;
  pen.strokeStyle = "#8ff0dc";
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  for (const segment of segments) {
    pen.beginPath();
    let before = Number.POSITIVE_INFINITY;
    for (const { at, y } of segment) {
      const x = xOf(at);
      if (x < before) pen.moveTo(x, yOf(y));
      else pen.lineTo(x, yOf(y));
      before = x;
    }
    pen.stroke();
  }
  const last = all.at(-1);
  if (!last || head - last.at > WIPED_MS) return;
  pen.fillStyle = "#ffcf70";
  pen.beginPath();
  pen.arc(xOf(last.at), yOf(last.y), 3.5, 0, 2 * Math.PI);
  pen.fill();
}

/** Whole seconds that fit, within what is kept. */
function windowOf(width: number): number {
  const seconds = Math.max(SECONDS_MIN, Math.floor(width / SECOND_PX));
  return Math.min(WINDOW_MS, seconds * 1_000);
}

function drawSeconds(
  pen: CanvasRenderingContext2D,
  width: number,
  height: number,
  windowMs: number,
): void {
  pen.strokeStyle = "rgb(255 255 255 / 14%)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = 1_000; at < windowMs; at += 1_000) {
    const x = Math.round((at * width) / windowMs) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
  }
  pen.stroke();
}

function extreme(
  samples: readonly { y: number }[],
  of: (...values: number[]) => number,
  otherwise: number,
): number {
  return samples.length === 0 ? otherwise : of(...samples.map((sample) => sample.y));
}
