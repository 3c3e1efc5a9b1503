/** New shapes: what comes of a hand that presses, drags and lets go with a tool. */

import {
  MOST_POINTS,
  rounded,
  type Kind,
  type Pair,
  type Position,
  type Shape,
} from "./figures";
import { between, degreesOf, distance, nearestEighth } from "./grips";

/** What to do with each tool, for whoever has chosen one. */
export const HINTS: Record<Kind, string> = {
  point: "Click on a pixel",
  disk: "Press in the centre and drag to the rim",
  annulus: "Press in the centre and drag to the outer rim",
  sector: "Press in the centre and drag to the middle of the arc",
  rectangle: "Drag from corner to corner; Shift makes a square",
  ellipse: "Drag from corner to corner; Shift makes a circle",
  polygon: "Click on the corners, and on the first one to close it",
  lasso: "Draw around it",
  brush: "Paint over it",
};

/** Share of the outer radius that a new ring leaves open. */
const HOLE = 0.5;
/** Degrees of a new sector. */
const SPAN = 90;

/** What a hand has done with a tool. */
export interface Trace {
  from: Position;
  to: Position;
  /** All the way, for what is drawn freely. */
  path: readonly Pair[];
  /** The Shift key. */
  regular: boolean;
  /** A size for what was clicked and not drawn, in data pixels. */
  size: number;
  /** What is too short to be a drag, in data pixels. */
  reach: number;
}

/** Return the shape that a trace draws; null for one that is no shape yet. */
export function drawn(kind: Kind, trace: Trace): Shape | null {
  const shape = shapeOf(kind, trace);
  return shape && rounded(shape);
}

function shapeOf(kind: Kind, { from, to, path, regular, size, reach }: Trace): Shape | null {
  const way = distance(from, to);
  const isClick = way < reach;
  const r = isClick ? size : way;
  const [cx, cy] = [from.x, from.y];
  switch (kind) {
    case "point":
      // In the centre of a pixel: it stands for that pixel.
      return { type: kind, cx: Math.round(to.x), cy: Math.round(to.y) };
    case "disk":
      return { type: kind, cx, cy, r };
    case "annulus":
      return { type: kind, cx, cy, ri: HOLE * r, ro: r };
    case "sector": {
      const angle = isClick ? 0 : degreesOf(to.x - cx, to.y - cy);
      const middle = regular ? nearestEighth(angle) : Math.round(angle);
      const whole = (degrees: number): number => ((degrees % 360) + 360) % 360;
      const [start, stop] = [whole(middle - SPAN / 2), whole(middle + SPAN / 2)];
      return { type: kind, cx, cy, ri: HOLE * r, ro: r, start, stop };
    }
    case "rectangle":
    case "ellipse": {
      const corner = isClick ? { x: cx + size, y: cy + size } : to;
      const [x, y] = regular ? square(from, corner) : [corner.x, corner.y];
      const box = between({ type: "rectangle" }, cx, x, cy, y);
      if (kind === "rectangle") return box;
      return { type: kind, cx: box.cx, cy: box.cy, rx: box.width / 2, ry: box.height / 2, angle: 0 };
    }
    case "polygon":
      return path.length < 3 ? null : { type: kind, points: [...path] };
    case "lasso":
      return path.length < 3 || isClickOnly(path, reach) ? null : { type: kind, points: thinned(path, reach / 8) };
    case "brush":
      return { type: kind, points: thinned(path, reach / 8), r: size / 2 };
  }
}

function square(from: Position, to: Position): Pair {
  const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  return [from.x + side * Math.sign(to.x - from.x), from.y + side * Math.sign(to.y - from.y)];
}

function isClickOnly(path: readonly Pair[], reach: number): boolean {
  const [[x, y]] = path;
  return path.every((point) => Math.hypot(point[0] - x, point[1] - y) < reach);
}

/**
 * Return a line without the points that lie within `tolerance` of what is left.
 *
 * This is the algorithm of Ramer, Douglas and Peucker: a hand that moves on slowly says the same
 * position again and again, and each point costs with every look at the shape.
 */
export function thinned(path: readonly Pair[], tolerance: number): Pair[] {
  const keep = new Uint8Array(path.length);
  keep[0] = keep[path.length - 1] = 1;
  const open: [number, number][] = [[0, path.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [first, last] = part;
    let [farthest, away] = [-1, tolerance];
    for (let i = first + 1; i < last; i++) {
      const off = awayFrom(path[first], path[last], path[i]);
      if (off > away) [farthest, away] = [i, off];
    }
    if (farthest < 0) continue;
    keep[farthest] = 1;
    open.push([first, farthest], [farthest, last]);
  }
  return path.filter((_, i) => keep[i]).slice(0, MOST_POINTS);
}

function awayFrom([ax, ay]: Pair, [bx, by]: Pair, [x, y]: Pair): number {
  const [ux, uy] = [bx - ax, by - ay];
  const length = Math.hypot(ux, uy);
  if (length === 0) return Math.hypot(x - ax, y - ay);
  return Math.abs(ux * (y - ay) - uy * (x - ax)) / length;
}
