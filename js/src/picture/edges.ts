/** The axes of an image: numbers along its left and its lower edge, in pixels or in its units. */

import { unitText } from "../page/format";
import type { Scale, Units } from "../page/settings";
import { roundStep } from "./bar";
import type { Window } from "./geometry";
import { larger } from "./scalebar";
import type { Margin } from "./view";

const SVG = "http://www.w3.org/2000/svg";
/** CSS pixels: of a tick, of a digit, and between two numbers above and beside each other. */
const TICK = 4;
const DIGIT = 6.2;
/** Between the numbers on the left and the pixels. */
const GAP = TICK + 3;
const ABOVE = 28;
const BESIDE = 36;
/** Numbers with more digits than these have no room. */
const [MOST, LEAST] = [1e4, 1e-2];

export interface Edge {
  ticks: { at: number; text: string }[];
  /** Nothing for pixels. */
  unit: string;
}

/**
 * Return round numbers along an edge, and where they are as shares of it.
 *
 * The edge shows data pixels from `from` to `to`, of which the first one lies between 0 and 1. Its
 * centre is at 0, as in files of results, or that of the pixel `origin` is. An edge that shows
 * nothing, or shows it mirrored, has no numbers. Beside an upright edge numbers have some room:
 * there are fewer of them where those between have too many digits, and none that is wider.
 */
export function edgeOf(
  [from, to]: readonly [number, number],
  length: number,
  scale: Scale | null,
  isUpright: boolean,
  origin = 0,
  room = Infinity,
): Edge {
  if (!(to > from)) return { ticks: [], unit: "" };
  const [size, unit] = handy(scale, Math.max(Math.abs(from - origin), Math.abs(to - origin)));
  const [lo, hi] = [from, to].map((each) => (each - 0.5 - origin) * size);
  // A pixel of no size, or of less, has no numbers either.
  if (!(hi > lo && hi - lo < Infinity)) return { ticks: [], unit: "" };
  for (let apart = isUpright ? ABOVE : BESIDE; ; apart *= 1.5) {
    const round = roundStep(hi - lo, Math.max(1, length / apart));
    const step = scale ? round : Math.max(1, round);
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const first = Math.ceil(lo / step - 1e-9);
    const count = Math.floor(hi / step + 1e-9) - first + 1;
    const ticks = Array.from({ length: Math.max(0, count) }, (_, i) => {
      const value = (first + i) * step;
      const text = value.toFixed(places).replace(/^-(?=.*[1-9])/, "\u2212").replace(/^-/, "");
      return { at: (value - lo) / (hi - lo), text };
    });
    const widest = Math.max(0, ...ticks.map(({ text }) => widthOf(text)));
    const fits = isUpright ? widest <= room : widest + DIGIT < (step / (hi - lo)) * length;
    if (!fits && count >= 3 && apart <= length) continue;
    return { ticks: ticks.filter(({ text }) => widthOf(text) <= room), unit };
  }
}

/** Return which numbers have room between two places below an edge, and where their middles are. */
export function between(
  { ticks }: Edge,
  [left, width]: readonly [number, number],
  [from, to]: readonly [number, number],
): { place: number; text: string }[] {
  return ticks
    .map(({ at, text }) => ({ place: left + at * width, text }))
    .filter(({ place, text }) => place - widthOf(text) / 2 > from && place + widthOf(text) / 2 < to);
}

function widthOf(text: string): number {
  return (text.length - (text.includes(".") ? 0.5 : 0)) * DIGIT;
}

/** Return a scale in a unit whose numbers are short: 12 µm, not 12000 nm. */
function handy(scale: Scale | null, pixels: number): Scale {
  if (!scale) return [1, ""];
  const [size, unit] = scale;
  const most = size * pixels;
  if (most < MOST && most >= LEAST) return [size, unitText(unit)];
  const [by, name] = larger(most, unit);
  if (most / by < MOST && most / by >= LEAST) return [size / by, unitText(name)];
  const power = 3 * Math.floor(Math.log10(most) / 3);
  return [size / 10 ** power, `1e${power} ${unitText(unit)}`.replace("-", "\u2212")];
}

export class Edges {
  // Not read out: it is the label of the image that says how large it is.
  readonly element = part("svg", { class: "udfw-edges", "aria-hidden": "true" });
  private shown = "";

  constructor(private readonly margin: Margin) {}

  /** Show what belongs to a window on so many CSS pixels. */
  show(
    { x0, x1, y0, y1 }: Window,
    [ofY, ofX]: Units,
    [originY, originX]: readonly [number, number],
    { width, height }: { width: number; height: number },
  ): void {
    const now = [x0, x1, y0, y1, width, height, ofY, ofX].join();
    if (now === this.shown) return;
    this.shown = now;
    const { left, top } = this.margin;
    const y = edgeOf([y0, y1], height, ofY, true, originY, left - GAP);
    const x = edgeOf([x0, x1], width, ofX, false, originX);
    const [bottom, right] = [top + height, left + width];
    const lines: string[] = [];
    const texts: Element[] = [];
    const write = (text: string, at: readonly [number, number], anchor: string): number =>
      texts.push(part("text", { x: at[0], y: at[1], "text-anchor": anchor }, text));
    for (const { at, text } of y.ticks) {
      const place = top + at * height;
      lines.push(`M${left - TICK},${place}h${TICK}`);
      write(text, [left - GAP, place + 3.5], "end");
    }
    // Where both are alike their unit stands between them, in the corner.
    const isOwn = x.unit !== y.unit;
    const end = isOwn && x.unit ? right - (x.unit.length + 1) * DIGIT : Infinity;
    for (const { at } of x.ticks) lines.push(`M${left + at * width},${bottom}v${TICK}`);
    // A long one would reach into the corner, or over the unit at the other end.
    for (const { place, text } of between(x, [left, width], [left - TICK, end])) {
      write(text, [place, bottom + TICK + 11], "middle");
    }
    write(y.unit, [left - GAP, bottom + TICK + 11], "end");
    if (isOwn) write(x.unit, [right, bottom + TICK + 11], "end");
    this.element.replaceChildren(part("path", { d: lines.join("") }), ...texts);
  }
}

function part(kind: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}
