/** Where a shape can be taken hold of, and what becomes of it when that is pulled. */

import { direction } from "./directions";
import {
  boundsOf,
  centreOf,
  hasPoints,
  moved,
  rounded,
  type Brush,
  type Ellipse,
  type Pair,
  type Polygon,
  type Position,
  type Rectangle,
  type Sector,
  type Shape,
} from "./figures";
import { ruleOf } from "./pixels";

/** A part of a shape: its inside, a rim, or a handle. */
export type Grip = string;
export const INSIDE: Grip = "inside";

export interface Handle extends Position {
  grip: Grip;
}

const SIDES: Record<string, Pair> = {
  nw: [-1, -1],
  n: [0, -1],
  ne: [1, -1],
  e: [1, 0],
  se: [1, 1],
  s: [0, 1],
  sw: [-1, 1],
  w: [-1, 0],
};
/** A lasso has too many points to move them one by one. */
const HANDLES = 64;
/** How far the handle that turns an ellipse is from its rim, in CSS pixels. */
const STALK = 22;

/** Return the handles of a shape that is chosen; `unit` is a CSS pixel in data pixels. */
export function handlesOf(shape: Shape, unit: number): Handle[] {
  switch (shape.type) {
    case "point":
      return [];
    case "disk":
      return around(shape, shape.r, "r", [0, 90, 180, 270]);
    case "annulus":
      return [
        ...around(shape, shape.ro, "ro", [0, 90, 180, 270]),
        ...around(shape, shape.ri, "ri", [45, 135, 225, 315]),
      ];
    case "sector": {
      const middle = (shape.ri + shape.ro) / 2;
      const half = shape.start + spanOf(shape) / 2;
      return [
        ...around(shape, shape.ro, "ro", [half]),
        ...around(shape, shape.ri, "ri", [half]),
        ...around(shape, middle, "start", [shape.start]),
        ...around(shape, middle, "stop", [shape.stop]),
      ];
    }
    case "rectangle":
      return Object.entries(SIDES).map(([grip, [x, y]]) => ({
        grip,
        x: shape.cx + (x * shape.width) / 2,
        y: shape.cy + (y * shape.height) / 2,
      }));
    case "ellipse": {
      const at = (grip: Grip, u: number, v: number): Handle => ({ grip, ...fromAxes(shape, u, v) });
      return [
        at("rx", shape.rx, 0),
        at("rx", -shape.rx, 0),
        at("ry", 0, shape.ry),
        at("ry", 0, -shape.ry),
        at("angle", shape.rx + STALK * unit, 0),
      ];
    }
    case "polygon":
      if (shape.points.length > HANDLES) return [];
      return shape.points.map(([x, y], i) => ({ grip: `p${i}`, x, y }));
    default:
      return [];
  }
}

function around(centre: { cx: number; cy: number }, r: number, grip: Grip, degrees: number[]): Handle[] {
  return degrees.map((angle) => {
    const [c, s] = direction(angle);
    return { grip, x: centre.cx + r * c, y: centre.cy + r * s };
  });
}

/** Return by how many degrees a sector goes on from its start. */
export function spanOf({ start, stop }: Sector): number {
  if (Math.abs(stop - start) >= 360) return 360;
  return (((stop - start) % 360) + 360) % 360;
}

/** Where a pointer is, in indices of data pixels. */
export interface Touch extends Position {
  /** How near is near enough, in data pixels. */
  reach: number;
  /** A CSS pixel, in data pixels. */
  unit: number;
}

/** Return what a hand takes hold of at a position; null for nothing. */
export function gripAt(shape: Shape, at: Touch, withHandles: boolean): Grip | null {
  const { reach } = at;
  // Also where a shape is smaller than the reach of a hand, its middle is for moving it.
  if (distance(centreOf(shape), at) <= reach / 2) return INSIDE;
  if (withHandles) {
    const near = handlesOf(shape, at.unit)
      .map((handle) => ({ grip: handle.grip, away: distance(handle, at) }))
      .sort((a, b) => a.away - b.away)
      .at(0);
    if (near && near.away <= reach) return near.grip;
  }
  return rimAt(shape, at, reach) ?? (isInside(shape, at) ? INSIDE : null);
}

function isInside(shape: Shape, at: Touch): boolean {
  if (shape.type === "point") return distance(centreOf(shape), at) <= 1.5 * at.reach;
  return ruleOf(shape)(at.x, at.y); // exactly there, not at the pixel below
}

function rimAt(shape: Shape, at: Position, reach: number): Grip | null {
  const away = distance(centreOf(shape), at);
  const nearest = (rims: [Grip, number][]): Grip | null => {
    const [grip, off] = rims.sort((a, b) => a[1] - b[1])[0];
    return off <= reach ? grip : null;
  };
  // Inwards no farther than a third of the way: there has to be an inside.
  const off = (radius: number): number =>
    away < radius - Math.min(reach, radius / 3) ? Infinity : Math.abs(away - radius);
  switch (shape.type) {
    case "point":
      return null;
    case "disk":
      return nearest([["r", off(shape.r)]]);
    case "annulus":
      return nearest([...ringRims(shape, away)]);
    case "sector":
      return nearest([
        ...ringRims(shape, away).filter(() => isBetween(shape, at)),
        ["start", edgeDistance(shape, shape.start, at)],
        ["stop", edgeDistance(shape, shape.stop, at)],
      ]);
    case "rectangle":
      return sideAt(shape, at, reach);
    case "ellipse": {
      const { u, v } = toAxes(shape, at);
      const f = Math.hypot(u / (shape.rx || 1e-9), v / (shape.ry || 1e-9));
      const isDeep = f < 2 / 3;
      return isDeep ? null : nearest([["rim", (Math.abs(f - 1) / f) * Math.hypot(u, v)]]);
    }
    case "brush": {
      const to = lineDistance(shape.points, at, false);
      const isDeep = to < shape.r - Math.min(reach, shape.r / 3);
      return isDeep ? null : nearest([["r", Math.abs(to - shape.r)]]);
    }
    default:
      return nearest([["rim", lineDistance(shape.points, at, true)]]);
  }
}

/** Return the rims of a ring with how far they are; between them there has to be an inside. */
function ringRims({ ri, ro }: { ri: number; ro: number }, away: number): [Grip, number][] {
  const third = (ro - ri) / 3;
  const isBetweenRims = away > ri + third && away < ro - third;
  const of = (radius: number): number => (isBetweenRims ? Infinity : Math.abs(away - radius));
  return [
    ["ri", of(ri)],
    ["ro", of(ro)],
  ];
}

function isBetween(shape: Sector, at: Position): boolean {
  const angle = angleOf(shape, at) - shape.start;
  return (((angle % 360) + 360) % 360) <= spanOf(shape);
}

function edgeDistance(shape: Sector, degrees: number, at: Position): number {
  const [c, s] = direction(degrees);
  const end = (r: number): Pair => [shape.cx + r * c, shape.cy + r * s];
  return segmentDistance(end(shape.ri), end(shape.ro), at);
}

function sideAt(shape: Rectangle, at: Position, reach: number): Grip | null {
  const [x, y] = [at.x - shape.cx, at.y - shape.cy];
  const side = (along: number, size: number): number => {
    const inner = Math.min(reach, size / 6);
    const off = Math.abs(along) - size / 2;
    return off < -inner || off > reach ? 0 : Math.sign(along);
  };
  const isOutside =
    Math.abs(x) > shape.width / 2 + reach || Math.abs(y) > shape.height / 2 + reach;
  if (isOutside) return null;
  const wanted = [side(x, shape.width), side(y, shape.height)].join();
  if (wanted === "0,0") return null;
  return Object.keys(SIDES).find((grip) => SIDES[grip].join() === wanted) ?? null;
}

function lineDistance(points: readonly Pair[], at: Position, isClosed: boolean): number {
  const first = points[0];
  let nearest = distance({ x: first[0], y: first[1] }, at);
  const last = isClosed ? points.length : points.length - 1;
  for (let i = 0; i < last; i++) {
    nearest = Math.min(nearest, segmentDistance(points[i], points[(i + 1) % points.length], at));
  }
  return nearest;
}

function segmentDistance([ax, ay]: Pair, [bx, by]: Pair, { x, y }: Position): number {
  const [ux, uy] = [bx - ax, by - ay];
  const length = ux * ux + uy * uy;
  const share = length === 0 ? 0 : ((x - ax) * ux + (y - ay) * uy) / length;
  const t = Math.min(1, Math.max(0, share));
  return Math.hypot(x - ax - t * ux, y - ay - t * uy);
}

export function distance(a: Position, b: Position): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/**
 * Return the shape after a grip was pulled from one position to another.
 *
 * With `regular` (the Shift key) circles, squares and steps of 45 degrees come of it.
 */
export function pull(shape: Shape, grip: Grip, from: Position, to: Position, regular: boolean): Shape {
  return rounded(pulled(shape, grip, from, to, regular));
}

function pulled(shape: Shape, grip: Grip, from: Position, to: Position, regular: boolean): Shape {
  if (grip === INSIDE) {
    const by = regular ? alongEighths(from, to) : { x: to.x - from.x, y: to.y - from.y };
    return moved(shape, by.x, by.y);
  }
  const centre = centreOf(shape);
  const farther = distance(to, centre) - distance(from, centre);
  switch (shape.type) {
    case "disk":
      return { ...shape, r: Math.max(0, shape.r + farther) };
    case "annulus":
      return ringPulled(shape, grip, farther);
    case "sector":
      if (grip === "ri" || grip === "ro") return ringPulled(shape, grip, farther);
      return edgePulled(shape, grip as "start" | "stop", from, to, regular);
    case "rectangle":
      return sidePulled(shape, SIDES[grip], from, to, regular);
    case "ellipse":
      return ellipsePulled(shape, grip, from, to, regular);
    case "brush":
      return brushPulled(shape, from, to);
    case "polygon":
    case "lasso":
      if (grip === "rim") return scaled(shape, from, to);
      return cornerPulled(shape, Number(grip.slice(1)), from, to, regular);
    case "point":
      return shape;
  }
}

/** Return the way between two positions, along the nearest eighth of a turn. */
function alongEighths(from: Position, to: Position): Position {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const [c, s] = direction(nearestEighth(degreesOf(dx, dy)));
  const length = dx * c + dy * s;
  return { x: length * c, y: length * s };
}

export function nearestEighth(degrees: number): number {
  return Math.round(degrees / 45) * 45;
}

export function degreesOf(dx: number, dy: number): number {
  return (Math.atan2(dy, dx) * 180) / Math.PI;
}

function angleOf(centre: { cx: number; cy: number }, at: Position): number {
  return degreesOf(at.x - centre.cx, at.y - centre.cy);
}

function ringPulled<Ring extends { ri: number; ro: number }>(shape: Ring, grip: Grip, by: number): Ring {
  if (grip === "ri") return { ...shape, ri: Math.min(Math.max(0, shape.ri + by), shape.ro) };
  return { ...shape, ro: Math.max(shape.ri, shape.ro + by) };
}

function edgePulled(
  shape: Sector,
  grip: "start" | "stop",
  from: Position,
  to: Position,
  regular: boolean,
): Sector {
  const angle = shape[grip] + angleOf(shape, to) - angleOf(shape, from);
  const steady = regular ? nearestEighth(angle) : Math.round(angle * 10) / 10;
  const whole = (degrees: number): number => ((degrees % 360) + 360) % 360;
  const other = grip === "start" ? "stop" : "start";
  return { ...shape, [grip]: whole(steady), [other]: whole(shape[other]) };
}

function sidePulled(
  shape: Rectangle,
  [sx, sy]: Pair,
  from: Position,
  to: Position,
  regular: boolean,
): Rectangle {
  // The opposite side stays where it is; pulled beyond that, the rectangle is turned over.
  const corner = (centre: number, size: number, sign: number, by: number): [number, number] =>
    [centre - (sign * size) / 2, centre + (sign * size) / 2 + by];
  const { cx, cy, width, height } = shape;
  const [x0, x1] = corner(cx, width, sx || 1, sx ? to.x - from.x : 0);
  const [y0, y1] = corner(cy, height, sy || 1, sy ? to.y - from.y : 0);
  if (regular && sx && sy) {
    const side = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    return between(shape, x0, x0 + side * (Math.sign(x1 - x0) || sx), y0, y0 + side * (Math.sign(y1 - y0) || sy));
  }
  const next = between(shape, x0, x1, y0, y1);
  if (!regular) return next;
  return sx ? { ...next, height: next.width } : { ...next, width: next.height };
}

/** Return a rectangle with these sides. */
export function between(
  shape: { type: "rectangle" },
  x0: number,
  x1: number,
  y0: number,
  y1: number,
): Rectangle {
  return {
    type: shape.type,
    cx: (x0 + x1) / 2,
    cy: (y0 + y1) / 2,
    width: Math.abs(x1 - x0),
    height: Math.abs(y1 - y0),
  };
}

function toAxes({ cx, cy, angle }: Ellipse, { x, y }: Position): { u: number; v: number } {
  const [c, s] = direction(angle);
  const [dx, dy] = [x - cx, y - cy];
  return { u: dx * c + dy * s, v: dy * c - dx * s };
}

function fromAxes({ cx, cy, angle }: Ellipse, u: number, v: number): Position {
  const [c, s] = direction(angle);
  return { x: cx + u * c - v * s, y: cy + u * s + v * c };
}

function ellipsePulled(
  shape: Ellipse,
  grip: Grip,
  from: Position,
  to: Position,
  regular: boolean,
): Ellipse {
  const [before, after] = [toAxes(shape, from), toAxes(shape, to)];
  if (grip === "angle") {
    const angle = shape.angle + angleOf(shape, to) - angleOf(shape, from);
    const steady = regular ? nearestEighth(angle) : Math.round(angle * 10) / 10;
    return { ...shape, angle: ((steady % 360) + 360) % 360 };
  }
  if (grip === "rim") {
    const factor = Math.hypot(after.u, after.v) / (Math.hypot(before.u, before.v) || 1);
    if (!regular) return { ...shape, rx: shape.rx * factor, ry: shape.ry * factor };
    return { ...shape, rx: Math.hypot(after.u, after.v), ry: Math.hypot(after.u, after.v) };
  }
  const along = grip === "rx" ? "u" : "v";
  const axis = grip === "rx" ? "rx" : "ry";
  const size = Math.max(0, shape[axis] + Math.abs(after[along]) - Math.abs(before[along]));
  return regular ? { ...shape, rx: size, ry: size } : { ...shape, [axis]: size };
}

function brushPulled(shape: Brush, from: Position, to: Position): Brush {
  const farther = lineDistance(shape.points, to, false) - lineDistance(shape.points, from, false);
  return { ...shape, r: Math.max(0, shape.r + farther) };
}

/** Return a polygon that is larger or smaller, around its middle. */
function scaled(shape: Polygon, from: Position, to: Position): Polygon {
  const { x, y } = centreOf(shape);
  const factor = distance(to, { x, y }) / (distance(from, { x, y }) || 1);
  const points = shape.points.map(([px, py]): Pair => [x + (px - x) * factor, y + (py - y) * factor]);
  return { ...shape, points };
}

function cornerPulled(
  shape: Polygon,
  corner: number,
  from: Position,
  to: Position,
  regular: boolean,
): Polygon {
  const { points } = shape;
  const [px, py] = points[corner];
  let next: Pair = [px + to.x - from.x, py + to.y - from.y];
  if (regular) {
    const [bx, by] = points[(corner + points.length - 1) % points.length];
    const way = alongEighths({ x: bx, y: by }, { x: next[0], y: next[1] });
    next = [bx + way.x, by + way.y];
  }
  return { ...shape, points: points.map((point, i) => (i === corner ? next : point)) };
}

/** Return how large a shape is, to let the smaller one of two be taken. */
export function sizeOf(shape: Shape): number {
  const { left, top, right, bottom } = boundsOf(shape);
  return (right - left) * (bottom - top) + (hasPoints(shape) ? shape.points.length : 0) * 1e-9;
}
