// A tone that rises from below 20 Hz to above 1000 Hz again and again, and what of each third of an
// octave is left of it at another place.

import { writeFileSync } from "node:fs";

const RATE_HZ = 48_000;
/** Everything of interest lies below half of RATE_HZ / THIN. */
const THIN = 15;
/** One rise, in samples: 5.12 s, a power of two after thinning and a whole number of 10 ms. */
export const PERIOD = 16_384 * THIN;
const [FROM_HZ, TO_HZ] = [15, 1_300];
const LOUD = 0.3;
const FADE = RATE_HZ / 50;

/** Centres of third octaves (IEC 61260-1), in Hz. */
export const CENTRES = [20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1_000];

/** One period of the sweep. */
export function sweep() {
  const octaves = Math.log(TO_HZ / FROM_HZ);
  return Float32Array.from({ length: PERIOD }, (_, at) => {
    // The phase of a frequency that grows by the same ratio in each second.
    const phase = ((2 * Math.PI * FROM_HZ * PERIOD) / RATE_HZ / octaves) * (Math.exp((octaves * at) / PERIOD) - 1);
    const edge = Math.min(1, at / FADE, (PERIOD - at) / FADE);
    return LOUD * edge * Math.sin(phase);
  });
}

/** Writes samples as 16-bit mono. */
export function writeWav(path, samples) {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length * 2, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE_HZ, 24);
  head.writeUInt32LE(RATE_HZ * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length * 2, 40);
  const body = Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
  writeFileSync(path, Buffer.concat([head, Buffer.from(body.buffer)]));
}

/**
 * How much louder or softer each third of an octave is in `heard` than in `sent`, in dB against the
 * one at 500 Hz. Both are one period, begun anywhere in it: the spectrum of what repeats is the same.
 */
export function response(sent, heard) {
  const [before, after] = [sent, heard].map((samples) => thirds(spectrum(thinned(samples))));
  const change = CENTRES.map((_, at) => 10 * Math.log10(after[at] / before[at]));
  const reference = change[CENTRES.indexOf(500)];
  return CENTRES.map((centre, at) => ({ centre, db: change[at] - reference }));
}

/** Every THIN-th sample of what is left below 1400 Hz; the period is closed to a ring. */
function thinned(samples) {
  const taps = lowPass();
  const half = taps.length >> 1;
  return Float64Array.from({ length: PERIOD / THIN }, (_, at) => {
    let sum = 0;
    for (const [tap, weight] of taps.entries()) {
      sum += weight * samples[(at * THIN + tap - half + PERIOD) % PERIOD];
    }
    return sum;
  });
}

/** A sinc cut off at 1400 Hz under a Hann window. */
function lowPass() {
  const [count, cut] = [401, 1_400 / RATE_HZ];
  return Array.from({ length: count }, (_, at) => {
    const from = at - (count >> 1);
    const sinc = from === 0 ? 2 * cut : Math.sin(2 * Math.PI * cut * from) / (Math.PI * from);
    return sinc * (0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 1)) / (count + 1)));
  });
}

/** The energy at each multiple of one over the period, by a radix-2 Fourier transform. */
function spectrum(real) {
  const count = real.length;
  const imaginary = new Float64Array(count);
  for (let at = 1, turned = 0; at < count; at += 1) {
    let bit = count >> 1;
    for (; turned & bit; bit >>= 1) turned ^= bit;
    turned ^= bit;
    if (at < turned) [real[at], real[turned]] = [real[turned], real[at]];
  }
  for (let size = 2; size <= count; size *= 2) {
    const half = size / 2;
    for (let first = 0; first < count; first += size) {
      for (let at = 0; at < half; at += 1) {
        const [cos, sin] = [Math.cos((-2 * Math.PI * at) / size), Math.sin((-2 * Math.PI * at) / size)];
        const [low, high] = [first + at, first + at + half];
        const re = real[high] * cos - imaginary[high] * sin;
        const im = real[high] * sin + imaginary[high] * cos;
        [real[high], imaginary[high]] = [real[low] - re, imaginary[low] - im];
        [real[low], imaginary[low]] = [real[low] + re, imaginary[low] + im];
      }
    }
  }
  return Float64Array.from({ length: count / 2 }, (_, at) => real[at] ** 2 + imaginary[at] ** 2);
}

function thirds(energies) {
  const step_hz = RATE_HZ / PERIOD;
  return CENTRES.map((centre) => {
    const [from, to] = [centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)];
    return energies.reduce((sum, energy, at) => (at * step_hz >= from && at * step_hz < to ? sum + energy : sum), 0);
  });
}
