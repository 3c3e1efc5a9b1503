/**
 * Which pixels belong to a shape: those whose centres do, by the rules of `udfwidgets/geometry/`.
 *
 * Both sides compute them in float64 with the same operations in the same order, so that what is
 * drawn is what is summed; `js/test/pixels.test.ts` holds this side to masks that Python has made.
 */

import { direction } from "./directions";
import { boundsOf, type Brush, type Ellipse, type Pair, type Polygon, type Sector, type Shape } from "./figures";

type Rule = (x: number, y: number) => boolean;

/** Rows and columns of an image; `bottom` and `right` are not in it. */
export interface Window {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Of an ellipse. The squares of what is thinner would come near zero. */
const THINNEST = 1e-6;

/** Return what tells for the indices of a pixel whether it belongs to a shape. */
export function ruleOf(shape: Shape): Rule {
  switch (shape.type) {
    case "point": {
      const [column, row] = [Math.floor(shape.cx + 0.5), Math.floor(shape.cy + 0.5)];
      return (x, y) => x === column && y === row;
    }
    case "disk":
      return within(shape.cx, shape.cy, shape.r);
    case "annulus":
      return ring(shape);
    case "sector":
      return sector(shape);
    case "rectangle": {
      const { cx, cy, width, height } = shape;
      if (width === 0 || height === 0) return () => false;
      return (x, y) => Math.abs(x - cx) <= width / 2 && Math.abs(y - cy) <= height / 2;
    }
    case "ellipse":
      return ellipse(shape);
    case "brush":
      return brush(shape);
    default:
      return polygon(shape);
  }
}

function within(cx: number, cy: number, r: number): Rule {
  return (x, y) => (x - cx) * (x - cx) + (y - cy) * (y - cy) <= r * r;
}

function ring({ cx, cy, ri, ro }: { cx: number; cy: number; ri: number; ro: number }): Rule {
  const [outer, inner] = [within(cx, cy, ro), within(cx, cy, ri)];
  return (x, y) => outer(x, y) && !inner(x, y);
}

function sector(shape: Sector): Rule {
  const isOnRing = ring(shape);
  if (Math.abs(shape.stop - shape.start) >= 360) return isOnRing;
  const [uc, us] = direction(shape.start);
  const [vc, vs] = direction(shape.stop);
  const turn = uc * vs - us * vc;
  const isNarrow = turn > 0 || (turn === 0 && uc * vc + us * vs > 0); // less than half a turn
  return (x, y) => {
    if (!isOnRing(x, y)) return false;
    const [dx, dy] = [x - shape.cx, y - shape.cy];
    const a = uc * dy - us * dx;
    const isAhead = a > 0 || (a === 0 && uc * dx + us * dy > 0);
    const isBefore = vc * dy - vs * dx < 0;
    return isNarrow ? isAhead && isBefore : isAhead || isBefore;
  };
}

function ellipse({ cx, cy, rx, ry, angle }: Ellipse): Rule {
  if (Math.min(rx, ry) < THINNEST) return () => false;
  const [c, s] = direction(angle);
  const area = rx * ry;
  return (x, y) => {
    const [dx, dy] = [x - cx, y - cy];
    const u = (dx * c + dy * s) * ry;
    const v = (dy * c - dx * s) * rx;
    return u * u + v * v <= area * area;
  };
}

function polygon({ points }: Polygon): Rule {
  const edges = points.map((point, i): [Pair, Pair] => {
    const next = points[(i + 1) % points.length];
    // From the upper end to the lower one, so that an edge is the same from both its sides.
    return point[1] > next[1] ? [next, point] : [point, next];
  });
  return (x, y) => {
    let isInside = false;
    for (const [[x1, y1], [x2, y2]] of edges) {
      if (y1 <= y && y < y2 && x1 + ((y - y1) * (x2 - x1)) / (y2 - y1) <= x) isInside = !isInside;
    }
    return isInside;
  };
}

function brush({ points, r }: Brush): Rule {
  const square = r * r;
  return (x, y) => {
    for (let i = 0; i < Math.max(points.length - 1, 1); i++) {
      const [ax, ay] = points[i];
      const [bx, by] = points[Math.min(i + 1, points.length - 1)];
      const [ux, uy, wx, wy] = [bx - ax, by - ay, x - ax, y - ay];
      const length = ux * ux + uy * uy;
      const along = wx * ux + wy * uy;
      if (along <= 0) {
        if (wx * wx + wy * wy <= square) return true;
      } else if (along >= length) {
        if ((x - bx) * (x - bx) + (y - by) * (y - by) <= square) return true;
      } else {
        const across = ux * wy - uy * wx;
        if (across * across <= square * length) return true;
      }
    }
    return false;
  };
}

/** Return the part of a window that a shape may reach. */
export function reached(shape: Shape, window: Window): Window {
  const { left, top, right, bottom } = boundsOf(shape);
  // A pixel more than needed on each side: which pixels are in is for the rule alone.
  return {
    top: Math.max(Math.floor(top) - 1, window.top),
    bottom: Math.min(Math.ceil(bottom) + 2, window.bottom),
    left: Math.max(Math.floor(left) - 1, window.left),
    right: Math.min(Math.ceil(right) + 2, window.right),
  };
}

/** Return one byte for each pixel of an image: 1 where it belongs to the shape. */
export function mask(shape: Shape, [ny, nx]: readonly [number, number]): Uint8Array {
  const out = new Uint8Array(ny * nx);
  const { top, bottom, left, right } = reached(shape, { top: 0, bottom: ny, left: 0, right: nx });
  const rule = ruleOf(shape);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) if (rule(x, y)) out[y * nx + x] = 1;
  }
  return out;
}

/** Return how many pixels of an image belong to a shape. */
export function countPixels(shape: Shape, size: readonly [number, number]): number {
  return mask(shape, size).reduce((sum, one) => sum + one, 0);
}

/**
 * Return the edges between pixels that belong and pixels that do not, as lines from corner to corner.
 *
 * A corner has the indices of the pixel to its lower right. Lines are as long as they can be, along
 * x first and then along y.
 */
export function outline(shape: Shape, window: Window): [x1: number, y1: number, x2: number, y2: number][] {
  const { top, bottom, left, right } = reached(shape, window);
  const lines: [number, number, number, number][] = [];
  const [height, width] = [bottom - top, right - left];
  if (height <= 0 || width <= 0) return lines;
  const rule = ruleOf(shape);
  // With a border, where nothing belongs: what is cut off by the window is closed along its edge.
  const stride = width + 2;
  const inside = new Uint8Array(stride * (height + 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rule(left + x, top + y)) inside[(y + 1) * stride + x + 1] = 1;
    }
  }
  const at = (x: number, y: number): number => inside[(y + 1) * stride + x + 1];
  for (let y = 0; y <= height; y++) {
    for (const [start, stop] of runs(width, (x) => at(x, y) !== at(x, y - 1))) {
      lines.push([left + start, top + y, left + stop, top + y]);
    }
  }
  for (let x = 0; x <= width; x++) {
    for (const [start, stop] of runs(height, (y) => at(x, y) !== at(x - 1, y))) {
      lines.push([left + x, top + start, left + x, top + stop]);
    }
  }
  return lines;
}

function runs(length: number, isEdge: (at: number) => boolean): [number, number][] {
  const found: [number, number][] = [];
  let start = -1;
  for (let at = 0; at <= length; at++) {
    const is = at < length && isEdge(at);
    if (is && start < 0) start = at;
    if (!is && start >= 0) {
      found.push([start, at]);
      start = -1;
    }
  }
  return found;
}
