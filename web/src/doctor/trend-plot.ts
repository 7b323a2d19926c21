// The two charts of the trend, drawn by uPlot: pressure and pulse above, saturation below. Shapes
// tell the lines apart for those who do not see the colours.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isLate, LINES, type Line, type Sparse, type Trend } from "./trend";
import { drawBands, LATE_COLOUR } from "./trend-bands";
import { type Beyond, beyondOf, PRESSURE, rangeOf, SATURATION, TEMPERATURE } from "./trend-scale";

/** What stands under the pointer. */
export interface Cursor {
  /** Seconds since 1970. */
  readonly x: number;
  readonly values: readonly { line: Line; y: number }[];
  readonly late: boolean;
}

export interface Plots {
  /** Seconds since 1970; `late` is the word that stands at late stretches. */
  show(trend: Trend, from: number, to: number, late: string): void;
  destroy(): void;
}

const COLOURS: Record<Line, string> = {
  systolic: "#0b5566",
  diastolic: "#0b5566",
  mean: "#4a7f8b",
  spo2: "#35308a",
  pulse_oximeter: "#22603e",
  pulse_cuff: "#22603e",
  heart_rate: "#6b3f1d",
  respiration: "#5f6b72",
  temperature: "#7a4a00",
};
const UPPER: readonly Line[] = [
  "systolic",
  "diastolic",
  "mean",
  "pulse_oximeter",
  "pulse_cuff",
  "heart_rate",
  "respiration",
];
/** Between the two others, only once there is a temperature. */
const MIDDLE: readonly Line[] = ["temperature"];
const LOWER: readonly Line[] = ["spo2"];
/** Shares of the height: upper, middle, lower. */
const SHARES = { three: [0.5, 0.2, 0.3], two: [0.62, 0, 0.38] } as const;
/** Seconds between two times that are written under the chart. */
const TIME_STEPS = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800];
const FONT = "11px sans-serif";

type Scope = { trend: Trend; late: string };

export function makePlots(
  place: HTMLElement,
  onCursor: (cursor: Cursor | undefined) => void,
): Plots {
  const scope: Scope = { trend: emptyTrend(), late: "" };
  const sync = uPlot.sync(`trend-${Math.random()}`);
  const make = (lines: readonly Line[], range: uPlot.Scale.Range, showTimes: boolean) =>
    new uPlot(optionsOf(lines, range, showTimes, sync.key, scope, onCursor), [[]], place);
  const upper = make(UPPER, (_, min, max) => rangeOf(PRESSURE, min, max), false);
  const middle = make(MIDDLE, (_, min, max) => rangeOf(TEMPERATURE, min, max), false);
  const lower = make(LOWER, (_, min, max) => rangeOf(SATURATION, min, max), true);
  const charts = [
    [upper, UPPER],
    [middle, MIDDLE],
    [lower, LOWER],
  ] as const;
  const fit = () => {
    const [width, height] = [place.clientWidth, place.clientHeight];
    if (width <= 0 || height <= 0) return;
    const three = scope.trend.lines.temperature.some((one) => typeof one === "number");
    for (const [at, [plot]] of charts.entries()) {
      const share = SHARES[three ? "three" : "two"][at] ?? 0;
      plot.root.hidden = share === 0;
      if (share > 0) plot.setSize({ width, height: Math.round(height * share) });
    }
  };
  const watcher = new ResizeObserver(fit);
  watcher.observe(place);
  fit();
  return {
    show(trend, from, to, late) {
      scope.trend = trend;
      scope.late = late;
      fit();
      for (const [plot, lines] of charts) {
        plot.batch(() => {
          plot.setData(
            [trend.x, ...lines.map((line) => trend.lines[line])] as uPlot.AlignedData,
            false,
          );
          plot.setScale("x", { min: from, max: to });
        });
      }
    },
    destroy() {
      watcher.disconnect();
      for (const [plot] of charts) plot.destroy();
    },
  };
}

function emptyTrend(): Trend {
  const lines = Object.fromEntries(LINES.map((line) => [line, []])) as unknown as Record<
    Line,
    Sparse
  >;
  return { x: [], lines, late: [], faults: [], waiting: [] };
}

function optionsOf(
  lines: readonly Line[],
  range: uPlot.Scale.Range,
  showTimes: boolean,
  syncKey: string,
  scope: Scope,
  onCursor: (cursor: Cursor | undefined) => void,
): uPlot.Options {
  const grid = { stroke: "#e6ded0", width: 1 };
  return {
    width: 300,
    height: 100,
    legend: { show: false },
    cursor: { sync: { key: syncKey }, drag: { x: false, y: false }, points: { show: false } },
    padding: [6, 16, 0, 0],
    scales: { x: { time: true }, y: { range } },
    axes: [
      {
        show: showTimes,
        font: FONT,
        stroke: "#435e68",
        size: 22,
        grid,
        ticks: { show: false },
        incrs: TIME_STEPS,
        values: (_, splits) => splits.map((at) => hourMinute(at)),
      },
      { font: FONT, stroke: "#435e68", size: 34, grid, ticks: { show: false }, space: 26 },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line))],
    hooks: {
      // Under the lines, so that these stay as they are; the word once, in the upper chart.
      drawClear: [
        (plot) =>
          drawBands(plot, scope.trend.late, lines.includes("systolic") ? scope.late : ""),
      ],
      draw: [(plot) => drawMarks(plot, lines, scope)],
      setCursor: [(plot) => onCursor(cursorOf(plot, scope.trend))],
    },
  };
}

function seriesOf(line: Line): uPlot.Series {
  const single = line === "systolic" || line === "diastolic" || line === "mean";
  return {
    stroke: COLOURS[line],
    width: single ? 1 : 2,
    ...(line === "mean" && { dash: [3, 4] }),
    ...(line === "heart_rate" && { dash: [8, 3] }),
    ...(line === "respiration" && { dash: [2, 2] }),
    // Single counts of another device: dots, never a line.
    ...(line === "pulse_cuff" && { paths: () => null }),
    points: { show: false },
    spanGaps: false,
  };
}

function hourMinute(seconds: number): string {
  const at = new Date(seconds * 1_000);
  return `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;
}

function cursorOf(plot: uPlot, trend: Trend): Cursor | undefined {
  const at = plot.cursor.idx;
  const x = at === null || at === undefined ? undefined : trend.x[at];
  if (at === null || at === undefined || x === undefined || (plot.cursor.left ?? -1) < 0) return;
  const values = LINES.flatMap((line) => {
    const y = trend.lines[line][at];
    return typeof y === "number" ? [{ line, y }] : [];
  });
  if (values.length === 0) return undefined;
  return { x, values, late: isLate(trend.late, x) };
}

/** Single measurements and failed attempts: shapes over the lines. */
function drawMarks(plot: uPlot, lines: readonly Line[], { trend }: Scope): void {
  const pen = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  pen.save();
  pen.setLineDash([]);
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  const size = 4.5 * devicePixelRatio;
  const xOf = (x: number) => plot.valToPos(x, "x", true);
  const yOf = (y: number) => plot.valToPos(y, "y", true);
  if (lines.includes("systolic")) drawPressures(pen, trend, xOf, yOf, size);
  if (lines.includes("pulse_cuff")) drawDots(pen, trend, "pulse_cuff", xOf, yOf, size);
  if (lines.includes("temperature")) drawDots(pen, trend, "temperature", xOf, yOf, size);
  if (lines.includes("systolic")) {
    const foot = top + height - 2 * size;
    drawFaults(pen, trend.faults, xOf, foot, size);
    drawWaiting(pen, trend.waiting, xOf, foot);
  }
  const { min, max } = plot.scales.y ?? {};
  if (min != null && max != null) drawBeyond(pen, beyondOf(trend, lines, min, max), xOf, [top, top + height], size);
  pen.restore();
}

/** What the scale does not reach: its number at the edge, so that nobody takes the edge for it. */
function drawBeyond(
  pen: CanvasRenderingContext2D,
  all: readonly Beyond[],
  xOf: Place,
  [top, foot]: [number, number],
  size: number,
): void {
  pen.font = `bold ${11 * devicePixelRatio}px sans-serif`;
  pen.textAlign = "left";
  for (const { x, y, line, edge } of all) {
    const up = edge === "top";
    const tip = up ? top : foot;
    pen.fillStyle = COLOURS[line];
    triangle(pen, xOf(x), tip, size, up ? -1 : 1);
    pen.textBaseline = up ? "top" : "bottom";
    pen.fillText(String(y), xOf(x) + 1.4 * size, tip);
  }
}

type Place = (value: number) => number;

/** A pressure is a bar from ▲ (diastolic) to ▼ (systolic), as on an anaesthetist's chart. */
function drawPressures(
  pen: CanvasRenderingContext2D,
  trend: Trend,
  xOf: Place,
  yOf: Place,
  size: number,
): void {
  pen.fillStyle = COLOURS.systolic;
  pen.strokeStyle = COLOURS.systolic;
  pen.lineWidth = 1.5 * devicePixelRatio;
  for (const [at, seconds] of trend.x.entries()) {
    const high = trend.lines.systolic[at];
    const low = trend.lines.diastolic[at];
    const x = xOf(seconds);
    if (typeof high === "number") triangle(pen, x, yOf(high), size, 1);
    if (typeof low === "number") triangle(pen, x, yOf(low), size, -1);
    if (typeof high !== "number" || typeof low !== "number") continue;
    pen.beginPath();
    pen.moveTo(x, yOf(high));
    pen.lineTo(x, yOf(low));
    pen.stroke();
  }
}

/** A triangle with its tip at the value; `up` is 1 when it stands above. */
function triangle(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  up: 1 | -1,
): void {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - size, y - up * 1.6 * size);
  pen.lineTo(x + size, y - up * 1.6 * size);
  pen.closePath();
  pen.fill();
}

function drawDots(
  pen: CanvasRenderingContext2D,
  trend: Trend,
  line: Line,
  xOf: Place,
  yOf: Place,
  size: number,
): void {
  pen.fillStyle = COLOURS[line];
  for (const [at, seconds] of trend.x.entries()) {
    const y = trend.lines[line][at];
    if (typeof y !== "number") continue;
    pen.beginPath();
    pen.arc(xOf(seconds), yOf(y), size * 0.7, 0, 2 * Math.PI);
    pen.fill();
  }
}

function drawFaults(
  pen: CanvasRenderingContext2D,
  faults: readonly number[],
  xOf: Place,
  y: number,
  size: number,
): void {
  pen.strokeStyle = LATE_COLOUR;
  pen.lineWidth = 2 * devicePixelRatio;
  for (const seconds of faults) {
    const x = xOf(seconds);
    pen.beginPath();
    pen.moveTo(x - size, y - size);
    pen.lineTo(x + size, y + size);
    pen.moveTo(x + size, y - size);
    pen.lineTo(x - size, y + size);
    pen.stroke();
  }
}

/** A value that nobody has looked at again: that there is one, and no number. */
function drawWaiting(
  pen: CanvasRenderingContext2D,
  waiting: readonly number[],
  xOf: Place,
  y: number,
): void {
  pen.fillStyle = LATE_COLOUR;
  pen.font = `bold ${14 * devicePixelRatio}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const seconds of waiting) pen.fillText("?", xOf(seconds), y);
}
