/** How a value becomes a colour; rule for rule what `colour.py` does. */

import { decode, type Encoding } from "../wire/codec";
import hex from "./colormaps.json";

const LOG_DEPTH = 1000;
const DEEPEST = 1e300;
const LARGEST = 8e307;
export const COLORMAPS = Object.keys(hex) as (keyof typeof hex)[];
export type Rgb = readonly [number, number, number];

export interface Contrast {
  lo: number;
  hi: number;
  log: boolean;
  gamma: number;
}

const CODES = 65536;
const tables = new Map<string, Uint8Array>();

/** Colour maps whose middle stands for zero. */
const DIVERGING = new Set(["RdBu", "coolwarm", "vik"]);

/** Return proposed limits as a colour map wants them: a diverging one has zero in the middle. */
export function centred(limits: readonly [number, number], colormap: string): [number, number] {
  const name = colormap.endsWith(REVERSED) ? colormap.slice(0, -REVERSED.length) : colormap;
  if (!DIVERGING.has(name)) return [...limits];
  const largest = Math.max(...limits.map(Math.abs));
  return [-largest, largest];
}

/** The end of the name of a colour map that is taken from its other end. */
export const REVERSED = "_r";

/** Return a colour map as 256 x RGB; an unknown name gives the first one. */
export function table(colormap: string): Uint8Array {
  let rgb = tables.get(colormap);
  if (!rgb) {
    const isReversed = colormap.endsWith(REVERSED);
    const name = isReversed ? colormap.slice(0, -REVERSED.length) : colormap;
    const digits = (hex as Record<string, string>)[name] ?? hex.viridis;
    const byte = (i: number): number => parseInt(digits.slice(2 * i, 2 * i + 2), 16);
    rgb = Uint8Array.from({ length: 768 }, (_, i) =>
      byte(isReversed ? 3 * (255 - Math.floor(i / 3)) + (i % 3) : i),
    );
    tables.set(colormap, rgb);
  }
  return rgb;
}

/** Return whether a logarithmic scale has a symmetric one in its place: a limit is not positive. */
export function isSymmetric(lo: number): boolean {
  return lo <= 0;
}

/** Return the place of a value between limits, 0 to 1; rule for rule what `place.py` does. */
export function place(value: number, lo: number, hi: number, log: boolean): number {
  const t = (value - lo) / (hi - lo);
  const cut = t > 0 ? Math.min(t, 1) : 0;
  if (!log) return cut;
  if (lo < 0) {
    const knee = Math.max(-lo, Math.abs(hi)) / LOG_DEPTH;
    const bent = (v: number): number => Math.sign(v) * Math.log1p(Math.abs(v) / knee);
    const inside = cut === 0 ? lo : cut === 1 ? hi : value;
    return (bent(inside) - bent(lo)) / (bent(hi) - bent(lo));
  }
  const depth = lo > hi / LARGEST ? Math.min((hi - lo) / lo, DEEPEST) : LOG_DEPTH;
  return Math.log1p(cut * depth) / Math.log1p(depth);
}

/** Return the row of the colour table for a value, 0 to 255. */
export function level(value: number, { lo, hi, log, gamma }: Contrast): number {
  let t = place(value, lo, hi, log);
  if (gamma !== 1) t = t ** gamma;
  return Math.floor(t * 255 + 0.5);
}

/**
 * Return the pixel (as ImageData wants it) of every code; code 0 gets `empty`.
 *
 * Levels only rise with the code, so the first code of each is found by bisection: some 4000
 * evaluations instead of 65536, for a table that may change with every frame.
 */
export function palette(
  encoding: Encoding,
  contrast: Contrast,
  colormap: string,
  empty: Rgb,
): Uint32Array<ArrayBuffer> {
  const rgb = table(colormap);
  const out = new Uint32Array(CODES);
  out[0] = packed(empty[0], empty[1], empty[2]);
  const levelOf = (code: number): number => level(decode(code, encoding), contrast);
  let start = 1;
  while (start < CODES) {
    const row = levelOf(start);
    let low = start;
    let high = CODES;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (levelOf(middle) > row) high = middle;
      else low = middle;
    }
    out.fill(packed(rgb[3 * row], rgb[3 * row + 1], rgb[3 * row + 2]), start, high);
    start = high;
  }
  return out;
}

/** Return a colour as the pixel of an ImageData. */
export function packed(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Return a CSS gradient of a colour map. */
export function gradient(colormap: string, direction = "to right"): string {
  const rgb = table(colormap);
  const stops = Array.from({ length: 17 }, (_, i) => {
    const at = Math.min(255, i * 16) * 3;
    return `rgb(${rgb[at]} ${rgb[at + 1]} ${rgb[at + 2]})`;
  });
  return `linear-gradient(${direction}, ${stops.join(", ")})`;
}
