/** Arrows over an image of vectors: the mean of all pixels in each cell of the screen. */

import { decode } from "../wire/codec";
import type { ImageStore } from "../wire/store";
import { place, type Window } from "./geometry";
import { angle } from "./wheel";

/** CSS pixels of a cell; the longest arrow is a little shorter. */
const CELL = 26;
const LONGEST = 0.9;
/** Shorter ones are dots. */
const SHORTEST = 0.06;
/** Of its length, the head of an arrow; and of the head, half its width. */
const HEAD = 0.38;
const WIDE = 0.5;

/** An arrow: where its middle is, in pixels of the data, and where it points to. */
export interface Arrow {
  x: number;
  y: number;
  dx: number;
  dy: number;
}

/** Return the mean vector of each cell of a grid of the data, of `side` pixels of the image. */
export function means(store: ImageStore, side: number, [top, left, rows, columns]: readonly number[]): Arrow[] {
  const { frame, codes, tint, coverage, kind } = store;
  if (!frame || !(tint instanceof Uint16Array)) return [];
  const [height, width] = frame.grid;
  const factor = Math.max(Math.ceil(frame.shape[0] / height), Math.ceil(frame.shape[1] / width));
  const step = Math.max(1, Math.round(side / factor));
  const [sin, cos] = directions();
  const found: Arrow[] = [];
  // Cells that stay where they are while the window moves.
  const first = (from: number): number => Math.floor(from / factor / step) * step;
  for (let y = first(top); y < Math.min(height, (top + rows) / factor); y += step) {
    for (let x = first(left); x < Math.min(width, (left + columns) / factor); x += step) {
      let [dx, dy, count] = [0, 0, 0];
      const [bottom, right] = [Math.min(height, y + step), Math.min(width, x + step)];
      for (let row = y; row < bottom; row++) {
        for (let at = row * width + x; at < row * width + right; at++) {
          if (codes[at] === 0 || (kind === "nav" && coverage && coverage[at] !== 1)) continue;
          const size = decode(codes[at], frame);
          dx += size * cos[tint[at] >> 6];
          dy += size * sin[tint[at] >> 6];
          count += 1;
        }
      }
      if (count === 0) continue;
      const middle = { x: ((x + right) / 2) * factor, y: ((y + bottom) / 2) * factor };
      found.push({ ...middle, dx: dx / count, dy: dy / count });
    }
  }
  return found;
}

/** Sines and cosines of all directions, in steps of a third of a degree. */
let turns: [Float32Array, Float32Array] | null = null;
function directions(): [Float32Array, Float32Array] {
  turns ??= [Math.sin, Math.cos].map((of) =>
    Float32Array.from({ length: 1024 }, (_, i) => of(angle((i + 0.5) * 64))),
  ) as [Float32Array, Float32Array];
  return turns;
}

/** Draw arrows, those of magnitude `longest` and more as long as a cell. */
export function drawArrows(
  surface: CanvasRenderingContext2D,
  store: ImageStore,
  window: Window,
  longest: number,
  ratio: number,
): void {
  const { width, height } = surface.canvas;
  const across = (window.x1 - window.x0) / width;
  const side = Math.max(1, Math.round(CELL * ratio * across));
  const shown = [window.y0, window.x0, window.y1 - window.y0, window.x1 - window.x0].map(
    (n, i) => (i < 2 ? Math.max(0, n) : n),
  );
  const arrows = means(store, side, shown);
  const cell = side / across;
  for (const pass of [
    { style: "rgb(0 0 0 / 65%)", wide: 3 },
    { style: "#fff", wide: 1.25 },
  ]) {
    surface.beginPath();
    for (const { x, y, dx, dy } of arrows) {
      const at = place({ x, y, width: 0, height: 0 }, window, width, height);
      const size = Math.hypot(dx, dy);
      const share = Math.min(1, size / longest) * LONGEST * cell;
      if (size > 0) trace(surface, at, (dx / size) * share, (dy / size) * share, cell * SHORTEST);
    }
    surface.lineCap = surface.lineJoin = "round";
    surface.strokeStyle = pass.style;
    surface.lineWidth = pass.wide * ratio;
    surface.stroke();
  }
}

function trace(
  surface: CanvasRenderingContext2D,
  { x, y }: { x: number; y: number },
  dx: number,
  dy: number,
  shortest: number,
): void {
  const [tipX, tipY] = [x + dx / 2, y + dy / 2];
  if (Math.hypot(dx, dy) < shortest) {
    surface.moveTo(x, y);
    surface.lineTo(x + 0.01, y);
    return;
  }
  surface.moveTo(x - dx / 2, y - dy / 2);
  surface.lineTo(tipX, tipY);
  for (const side of [-1, 1]) {
    surface.moveTo(tipX, tipY);
    surface.lineTo(tipX - HEAD * (dx - side * WIDE * dy), tipY - HEAD * (dy + side * WIDE * dx));
  }
}
