// Stretches of readings that came late, on the chart: a pale band with a bracket over it and one
// word, so that the lines themselves stay readable.

import type uPlot from "uplot";
import type { LateBand } from "./trend";

export const LATE_COLOUR = "#8a4b00";
const LATE_PALE = "rgb(255 207 112 / 30%)";
/** A single late value still gets a band that is seen. */
const WIDTH_PX_MIN = 8;
const BRACKET_PX = 5;
const WORD_PX = 11;

/** Draws the bands over the height of the plot, and `word` once at each that has room for it. */
export function drawBands(plot: uPlot, bands: readonly LateBand[], word: string): void {
  const pen = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  const ratio = devicePixelRatio;
  const right = left + width;
  let wordEnds = left;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.setLineDash([]);
  pen.font = `bold ${WORD_PX * ratio}px sans-serif`;
  pen.textBaseline = "top";
  pen.textAlign = "left";
  for (const { from, to } of bands) {
    const span = spanOf(plot.valToPos(from, "x", true), plot.valToPos(to, "x", true), ratio);
    if (span.end < left || span.begin > right) continue;
    pen.fillStyle = LATE_PALE;
    pen.fillRect(span.begin, top, span.end - span.begin, height);
    if (!word) continue;
    drawBracket(pen, span, top, ratio);
    // The word stands over what is seen of the band, never over its neighbour's.
    const wide = pen.measureText(word).width;
    const middle = (Math.max(span.begin, left) + Math.min(span.end, right)) / 2;
    const at = Math.min(Math.max(middle - wide / 2, left), right - wide);
    if (at < wordEnds) continue;
    pen.fillText(word, at, top + (BRACKET_PX + 3) * ratio);
    wordEnds = at + wide + 6 * ratio;
  }
  pen.restore();
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

function spanOf(begin: number, end: number, ratio: number): Span {
  const lacking = Math.max(0, WIDTH_PX_MIN * ratio - (end - begin)) / 2;
  return { begin: begin - lacking, end: end + lacking };
}

function drawBracket(pen: CanvasRenderingContext2D, { begin, end }: Span, top: number, ratio: number) {
  const y = top + 1.5 * ratio;
  pen.strokeStyle = LATE_COLOUR;
  pen.fillStyle = LATE_COLOUR;
  pen.lineWidth = 2 * ratio;
  pen.beginPath();
  pen.moveTo(begin, y + BRACKET_PX * ratio);
  pen.lineTo(begin, y);
  pen.lineTo(end, y);
  pen.lineTo(end, y + BRACKET_PX * ratio);
  pen.stroke();
}
