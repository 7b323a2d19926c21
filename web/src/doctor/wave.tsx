// The waves as sweeping lines, each with its clock and gain in sight; a hole is left as a hole.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Call } from "../call/call";
import { span } from "../words/common";
import { t } from "../words/doctor";
import { clockTime } from "./now-tiles";
import { ECG_MM_PER_MILLIVOLT, ECG_MM_PER_SECOND, ecgRise, PX_PER_MM, spanOf, windowOf } from "./scale";
import { type Trace, type Tracing, Tracings } from "./trace";

const GAINS = [0.5, 1, 2, 4] as const;
/** What is wiped in front of the head, so that old and new are told apart. */
const WIPED_MS = 500;
const CLOCK_MS = 500;
const BYTE_MAX = 255;
/** Every other second is written under the line. */
const WRITTEN_MS = 2_000;
/** Squares of paper behind an ECG. */
const SQUARE_MM = 5;

interface Shown {
  readonly clock: string | undefined;
  readonly silentMs: number | undefined;
}

/** All waves of a visit; before the first one, the place where it will stand. */
export function Waves({ call }: { call: Call | undefined }) {
  const tracings = useMemo(() => new Tracings(), [call]);
  const [, setCount] = useState(0);
  useEffect(
    () =>
      call?.hearing.onWave((block) => {
        tracings.take(block, performance.now());
        setCount(tracings.shown().length);
      }),
    [call, tracings],
  );
  const waits = call?.wavesWait.value ?? false;
  const shown = tracings.shown();
  if (shown.length === 0) return <Wave key="none" waits={waits} />;
  return (
    <>
      {shown.map((tracing) => (
        <Wave key={tracing.key} tracing={tracing} waits={waits} />
      ))}
    </>
  );
}

function Wave({ tracing, waits }: { tracing?: Tracing; waits: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [gain, setGain] = useState<number>(1);
  const [shown, setShown] = useState<Shown>({ clock: undefined, silentMs: undefined });
  const ecg = tracing?.kind === "ecg";
  useEffect(() => (tracing ? sweep(canvas, tracing, gain) : undefined), [tracing, gain]);
  useEffect(() => {
    const timer = setInterval(() => setShown(look(tracing?.trace)), CLOCK_MS);
    return () => clearInterval(timer);
  }, [tracing]);
  const clock = shown.clock ?? "";
  const said = wordsOf(shown, waits, ecg);
  const label = t(ecg ? "ecg_label" : "wave_label", { gain, clock: clock || "–" });
  return (
    <figure class="wave" data-wave={tracing?.kind ?? "none"}>
      <figcaption>
        <b>{t(ecg ? "ecg" : "wave")}</b>
        <span class="wave-clock">{clock}</span>
        <Gains gain={gain} onGain={setGain} />
      </figcaption>
      <canvas ref={canvas} role="img" aria-label={label} />
      {ecg && (
        <p class="wave-scale">
          {ECG_MM_PER_SECOND} mm/s　{ECG_MM_PER_MILLIVOLT * gain} mm/mV
        </p>
      )}
      {said && <p class="wave-said">{said}</p>}
    </figure>
  );
}

/** Why there is no wave, or how long for. */
function wordsOf({ clock, silentMs }: Shown, waits: boolean, ecg: boolean): string | undefined {
  if (clock !== undefined && silentMs === undefined) return undefined;
  if (waits) return t(ecg ? "ecg_waits" : "wave_waits");
  return silentMs === undefined ? t("wave_none") : t("wave_silent", { time: span(silentMs) });
}

function look(trace: Trace | undefined): Shown {
  const now = performance.now();
  const head = trace?.head(now);
  if (!trace || head === undefined) return { clock: undefined, silentMs: undefined };
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
  tracing: Tracing,
  gain: number,
): () => void {
  let frame = requestAnimationFrame(function again() {
    if (canvas.current) draw(canvas.current, tracing, gain, performance.now());
    frame = requestAnimationFrame(again);
  });
  return () => cancelAnimationFrame(frame);
}

function draw(canvas: HTMLCanvasElement, tracing: Tracing, gain: number, now: number): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { kind, trace } = tracing;
  const [width, height] = fit(canvas, pen);
  const windowMs = windowOf(kind, width);
  const wide = spanOf(kind, width);
  if (kind === "ecg") drawSquares(pen, wide, height);
  const head = trace.head(now);
  if (head === undefined) return;
  const xOf = (at: number) => ((at % windowMs) / windowMs) * wide;
  const from = head - windowMs + WIPED_MS;
  drawSeconds(pen, from, head, height, xOf);
  const segments = trace.segments(from, head);
  const yOf = heightsOf(tracing, segments, gain, height);
  drawLine(pen, segments, xOf, yOf);
  const last = segments.at(-1)?.at(-1);
  if (!last || head - last.at > WIPED_MS) return;
  pen.fillStyle = "#ffcf70";
  pen.beginPath();
  pen.arc(xOf(last.at), yOf(last.y), 3.5, 0, 2 * Math.PI);
  pen.fill();
}

type Place = (value: number) => number;
type Segments = readonly (readonly { at: number; y: number }[])[];

/** Clears the canvas at the screen's own sharpness; gives its size in CSS pixels. */
function fit(canvas: HTMLCanvasElement, pen: CanvasRenderingContext2D): [number, number] {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return [width, height];
}

function heightsOf(tracing: Tracing, segments: Segments, gain: number, height: number): Place {
  const { kind, microvoltsPerStep } = tracing;
  if (kind === "ecg" && microvoltsPerStep !== undefined) {
    return (y) => height / 2 - ecgRise(y, microvoltsPerStep, gain);
  }
  // Centred on what is seen; the height stays that of the gain, never stretched to fit.
  const all = segments.flat();
  const middle = (extreme(all, Math.min, 0) + extreme(all, Math.max, BYTE_MAX)) / 2;
  return (y) => height / 2 - ((y - middle) / BYTE_MAX) * gain * height * 0.9;
}

function drawLine(pen: CanvasRenderingContext2D, segments: Segments, xOf: Place, yOf: Place): void {
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
}

/** A line at each whole second of the gateway's clock, and its number at every other one. */
function drawSeconds(
  pen: CanvasRenderingContext2D,
  from: number,
  to: number,
  height: number,
  xOf: Place,
): void {
  pen.strokeStyle = "rgb(255 255 255 / 18%)";
  pen.fillStyle = "rgb(255 255 255 / 85%)";
  pen.font = "10px sans-serif";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = Math.ceil(from / 1_000) * 1_000; at <= to; at += 1_000) {
    const x = Math.round(xOf(at)) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
    if (at % WRITTEN_MS !== 0) continue;
    pen.fillText(`:${String((at / 1_000) % 60).padStart(2, "0")}`, x + 2, height - 3);
  }
  pen.stroke();
}

function drawSquares(pen: CanvasRenderingContext2D, wide: number, height: number): void {
  const step = SQUARE_MM * PX_PER_MM;
  pen.strokeStyle = "rgb(255 255 255 / 10%)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = step; x < wide; x += step) {
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
  }
  for (let y = (height / 2) % step; y < height; y += step) {
    pen.moveTo(0, y);
    pen.lineTo(wide, y);
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
