/** The curves of a run: how much the picture still changes, and how far a signal stands out. */

import { value as spelt } from "../page/format";
import { change, stretched, type Record, type Step } from "./record";

const TOP = 12;
const BOTTOM = 14;

export type Points = readonly (readonly [share: number, value: number])[];

/** By how much steps differ from those that came before them. */
const known = new WeakMap<Step, readonly [before: Step, by: number]>();

function changed(before: Step, after: Step): number {
  const found = known.get(after);
  if (found?.[0] === before) return found[1];
  const by = change(before, after);
  known.set(after, [before, by]);
  return by;
}

/** Return by how much a picture has changed with each step, a logarithm away from nothing. */
export function changes({ steps }: Record): Points {
  return steps
    .slice(1)
    .map((step, i) => [step.fraction, changed(steps[i], step)] as const)
    .filter(([, value]) => value > 0);
}

/** Return where values lie between their lowest and highest, 0 to 1, on a logarithmic scale. */
export function placed(points: Points): Points {
  const logs = points.map(([, value]) => Math.log(value));
  const [lo, hi] = [Math.min(...logs), Math.max(...logs)];
  return points.map(([share], i) => [share, hi > lo ? (logs[i] - lo) / (hi - lo) : 0.5] as const);
}

export interface Line {
  points: Points;
  colour: string;
  name: string;
}

/** Draw lines over the share of the scan, each from its lowest to its highest value. */
export function drawCurves(canvas: HTMLCanvasElement, lines: readonly Line[], at: number | null): void {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width === 0 || height === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const surface = canvas.getContext("2d");
  if (!surface) return;
  surface.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  surface.font = `10px ${style.fontFamily}`;
  const x = (share: number): number => 2 + (stretched(share) / stretched(1)) * (width - 4);
  const y = (place: number): number => TOP + (1 - place) * (height - TOP - BOTTOM);
  surface.fillStyle = style.color;
  surface.textBaseline = "alphabetic";
  surface.globalAlpha = 0.25;
  for (const share of [0, 0.1, 0.5, 0.9, 1]) surface.fillRect(x(share) - 0.5, TOP, 1, height - TOP - BOTTOM);
  surface.globalAlpha = 1;
  for (const share of [0.1, 0.5, 0.9]) {
    surface.textAlign = "center";
    surface.fillText(`${100 * share} %`, x(share), height - 3);
  }
  lines.forEach(({ points, colour, name }, i) => {
    surface.strokeStyle = surface.fillStyle = colour;
    surface.lineWidth = 1.5;
    surface.beginPath();
    for (const [share, place] of placed(points)) surface.lineTo(x(share), y(place));
    surface.stroke();
    const last = points.at(-1);
    surface.textAlign = i === 0 ? "left" : "right";
    if (last) surface.fillText(`${name} ${spelt(last[1])}`, i === 0 ? 2 : width - 2, 9);
  });
  if (at === null) return;
  surface.fillStyle = style.color;
  surface.fillRect(x(at) - 0.75, TOP, 1.5, height - TOP - BOTTOM);
}
