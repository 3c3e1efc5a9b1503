/** A colour bar for a file: the colours, the lower limit at the bottom, with round values beside. */

import { place, table, type Contrast } from "./colour";
import { shortPair, unitText, value as spelt } from "../page/format";

/** Room for it beside an image, and how wide its colours are, in CSS pixels. */
export const ROOM = 76;
const WIDTH = 14;
const TICK = 4;
/** Labels nearer to each other than this touch. */
const APART = 14;
/** Steps between ticks of a linear scale, at most. */
const STEPS = 5;

export interface Bar {
  colormap: string;
  contrast: Contrast;
  /** Of the values, where it is known. */
  unit: string;
}

/** Return round values between the limits, ascending: decades where the scale is logarithmic. */
export function ticks({ lo, hi, log }: Contrast): number[] {
  if (log && lo <= 0) return lo < 0 && hi > 0 ? [0] : [];
  const inside = (v: number): boolean => v > lo && v < hi;
  if (log && hi / lo > 10) {
    const first = Math.ceil(Math.log10(lo));
    const count = Math.floor(Math.log10(hi)) - first + 1;
    return Array.from({ length: Math.max(0, count) }, (_, i) => 10 ** (first + i)).filter(inside);
  }
  const step = roundStep(hi - lo, STEPS);
  const from = Math.ceil(lo / step);
  const count = Math.floor(hi / step) - from + 1;
  return Array.from({ length: count }, (_, i) => (from + i) * step).filter(inside);
}

/** Return the least of 1, 2, 5, 10, ... of which no more than `most` fit into a range. */
export function roundStep(range: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(range / most));
  return power * ([1, 2, 5].find((each) => each * power * most >= range) ?? 10);
}

/** Draw it, with its upper end at (x, y), in the font and the colour that `surface` has. */
export function drawBar(
  surface: CanvasRenderingContext2D,
  bar: Bar,
  [x, y]: readonly [number, number],
  height: number,
): void {
  const { colormap, contrast } = bar;
  const { lo, hi, log, gamma } = contrast;
  const text = surface.fillStyle;
  const rgb = table(colormap);
  const row = height / 256;
  for (let i = 255; i >= 0; i--) {
    surface.fillStyle = `rgb(${rgb[3 * i]} ${rgb[3 * i + 1]} ${rgb[3 * i + 2]})`;
    const at = y + (255 - i) * row;
    // Down to the lower end, which the next ones cover: edges between rows would show.
    surface.fillRect(x, at, WIDTH, y + height - at);
  }
  surface.fillStyle = surface.strokeStyle = text;
  surface.lineWidth = 1;
  surface.strokeRect(x, y, WIDTH, height);
  const at = (v: number): number => y + height * (1 - place(v, lo, hi, log) ** gamma);
  const [low, high] = shortPair(lo, hi);
  surface.fillText(unitText(bar.unit), x, y - APART);
  let last = -Infinity;
  const label = (name: string, where: number): void => {
    surface.fillRect(x + WIDTH, where - 0.5, TICK, 1);
    surface.fillText(name, x + WIDTH + TICK + 3, where);
  };
  label(high, y);
  label(low, y + height);
  for (const v of ticks(contrast).reverse()) {
    const where = at(v);
    if (where - Math.max(y, last) < APART || y + height - where < APART) continue;
    label(spelt(v), where);
    last = where;
  }
}
