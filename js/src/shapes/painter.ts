/** Draws shapes on a plain canvas: rims, names, handles, and the pixels that belong. */

import type { Window } from "../picture/geometry";
import { boundsOf, type Bounds, type Pair, type Shape } from "./figures";
import { direction } from "./directions";
import { handlesOf, spanOf } from "./grips";
import { drawLabel, labelOf, LINE_HEIGHT } from "./labels";
import { outline } from "./pixels";
import type { Held } from "./store";

export interface Scene {
  shapes: ReadonlyMap<string, Held>;
  chosen: string | null;
  /** Under the pointer. */
  hovered: string | null;
  /** Corners of a polygon that is not closed yet. */
  corners: readonly Pair[];
  palette: readonly string[];
}

type Surface = CanvasRenderingContext2D;

/** From so many CSS pixels per data pixel on, the pixels that belong are outlined. */
const PIXELS = 5;
/** Behind each line, so that it is seen on bright and on dark pixels. */
const SEAM = "rgb(0 0 0 / 70%)";
/** Around the rim, where a name may stand; the first that is free is taken. */
const PLACES = [-60, -120, -30, -150, 60, 120, 0, 180];
/** The same for a sector, of its angle. */
const SHARES = [0.5, 0.25, 0.75, 0.1, 0.9];
const TURN = 2 * Math.PI;

/** Where the index of a data pixel is on the screen, in CSS pixels. */
export class Projection {
  readonly sx: number;
  readonly sy: number;

  constructor(
    private readonly window: Window,
    readonly width: number,
    readonly height: number,
  ) {
    this.sx = width / (window.x1 - window.x0);
    this.sy = height / (window.y1 - window.y0);
  }

  /** CSS pixels per data pixel. */
  get scale(): number {
    return Math.sqrt(this.sx * this.sy);
  }

  // The first pixel lies between 0 and 1 of the axes, and its index is that of its centre.
  x(index: number): number {
    return (index + 0.5 - this.window.x0) * this.sx;
  }
  y(index: number): number {
    return (index + 0.5 - this.window.y0) * this.sy;
  }
  indexX(x: number): number {
    return this.window.x0 + x / this.sx - 0.5;
  }
  indexY(y: number): number {
    return this.window.y0 + y / this.sy - 0.5;
  }
}

export function drawScene(canvas: HTMLCanvasElement, scene: Scene, to: Projection, ratio: number): void {
  const surface = canvas.getContext("2d");
  if (!surface) return;
  surface.setTransform(1, 0, 0, 1, 0, 0);
  surface.clearRect(0, 0, canvas.width, canvas.height);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  surface.lineJoin = surface.lineCap = "round";
  const each = [...scene.shapes].map(([name, { shape, colour }]) => ({
    name,
    shape,
    colour: scene.palette[colour % scene.palette.length],
  }));
  const isLast = (name: string): number => Number(name === scene.chosen);
  each.sort((a, b) => isLast(a.name) - isLast(b.name));
  for (const { name, shape, colour } of each) {
    const isChosen = name === scene.chosen;
    if (isChosen) fill(surface, shape, colour, to);
    const width = isChosen || name === scene.hovered ? 2.25 : 1.5;
    if (to.scale < PIXELS) {
      drawRim(surface, shape, colour, width, to);
    } else {
      // What is summed are the pixels; the rim is where the hand takes hold.
      drawRim(surface, shape, colour, 0.75, to);
      drawPixels(surface, shape, colour, width, to);
    }
  }
  drawNames(surface, each, to, ratio);
  const chosen = each.at(-1);
  if (chosen?.name === scene.chosen) drawHandles(surface, chosen.shape, chosen.colour, to);
  drawDraft(surface, scene.corners, to);
}

/** Trace a shape; what it is traced with is up to the caller. */
function trace(surface: Surface, shape: Shape, to: Projection): void {
  surface.save();
  // A path takes the transform of the moment: stretched pixels stretch it, and not its line.
  surface.transform(to.sx, 0, 0, to.sy, to.x(0), to.y(0));
  surface.beginPath();
  switch (shape.type) {
    case "point":
      surface.rect(Math.floor(shape.cx + 0.5) - 0.5, Math.floor(shape.cy + 0.5) - 0.5, 1, 1);
      break;
    case "disk":
      surface.arc(shape.cx, shape.cy, shape.r, 0, TURN);
      break;
    case "annulus":
      surface.arc(shape.cx, shape.cy, shape.ro, 0, TURN);
      surface.closePath();
      surface.moveTo(shape.cx + shape.ri, shape.cy);
      surface.arc(shape.cx, shape.cy, shape.ri, 0, TURN, true);
      break;
    case "sector": {
      const start = (shape.start * TURN) / 360;
      const stop = start + (spanOf(shape) * TURN) / 360;
      surface.arc(shape.cx, shape.cy, shape.ro, start, stop);
      surface.arc(shape.cx, shape.cy, shape.ri, stop, start, true);
      break;
    }
    case "rectangle":
      surface.rect(
        shape.cx - shape.width / 2,
        shape.cy - shape.height / 2,
        shape.width,
        shape.height,
      );
      break;
    case "ellipse":
      surface.ellipse(shape.cx, shape.cy, shape.rx, shape.ry, (shape.angle * TURN) / 360, 0, TURN);
      break;
    default:
      shape.points.forEach(([x, y], i) => (i === 0 ? surface.moveTo(x, y) : surface.lineTo(x, y)));
  }
  surface.closePath();
  surface.restore();
}

function fill(surface: Surface, shape: Shape, colour: string, to: Projection): void {
  surface.save();
  surface.globalAlpha = 0.16;
  trace(surface, shape, to);
  surface.fillStyle = surface.strokeStyle = colour;
  if (shape.type === "brush") strokeBrush(surface, shape, 2 * shape.r * to.scale, to);
  else surface.fill("evenodd");
  surface.restore();
}

function drawRim(surface: Surface, shape: Shape, colour: string, width: number, to: Projection): void {
  if (shape.type === "brush") {
    drawBrush(surface, shape, colour, width, to);
    return;
  }
  trace(surface, shape, to);
  seamed(surface, colour, width);
  if (shape.type === "point") drawCross(surface, shape, colour, width, to);
}

function seamed(surface: Surface, colour: string, width: number): void {
  surface.strokeStyle = SEAM;
  surface.lineWidth = width + 2;
  surface.stroke();
  surface.strokeStyle = colour;
  surface.lineWidth = width;
  surface.stroke();
}

/** A pixel may be too small to be seen: four lines point at it. */
function drawCross(
  surface: Surface,
  shape: { cx: number; cy: number },
  colour: string,
  width: number,
  to: Projection,
): void {
  const [x, y] = [to.x(Math.floor(shape.cx + 0.5)), to.y(Math.floor(shape.cy + 0.5))];
  surface.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    const [from, length] = [4 + Math.max(to.sx, to.sy) / 2, 7];
    surface.moveTo(x + dx * from, y + dy * from);
    surface.lineTo(x + dx * (from + length), y + dy * (from + length));
  }
  seamed(surface, colour, width);
}

/** The rim of a thick line is what a thicker line leaves of it when a thinner one is taken away. */
function drawBrush(
  surface: Surface,
  shape: Shape & { type: "brush" },
  colour: string,
  width: number,
  to: Projection,
): void {
  const { width: w, height: h } = surface.canvas;
  const diameter = 2 * shape.r * to.scale;
  for (const [style, thick] of [
    [SEAM, width + 2],
    [colour, width],
  ] as const) {
    const layer = new OffscreenCanvas(w, h);
    const above = layer.getContext("2d");
    if (!above) return;
    above.setTransform(surface.getTransform());
    above.strokeStyle = style;
    strokeBrush(above, shape, diameter + thick, to);
    above.globalCompositeOperation = "destination-out";
    strokeBrush(above, shape, diameter - thick, to);
    surface.save();
    surface.setTransform(1, 0, 0, 1, 0, 0);
    surface.drawImage(layer, 0, 0);
    surface.restore();
  }
}

function strokeBrush(
  surface: Surface | OffscreenCanvasRenderingContext2D,
  { points }: { points: readonly Pair[] },
  thick: number,
  to: Projection,
): void {
  if (thick <= 0) return;
  surface.lineJoin = surface.lineCap = "round";
  surface.lineWidth = thick;
  surface.beginPath();
  // A line of one point is drawn only if it goes somewhere, and be it to itself.
  surface.moveTo(to.x(points[0][0]), to.y(points[0][1]));
  for (const [x, y] of points) surface.lineTo(to.x(x), to.y(y));
  surface.stroke();
}

/** Outline the pixels that belong: this is what is summed. */
function drawPixels(surface: Surface, shape: Shape, colour: string, width: number, to: Projection): void {
  const seen = {
    left: Math.floor(to.indexX(0)),
    right: Math.ceil(to.indexX(to.width)) + 1,
    top: Math.floor(to.indexY(0)),
    bottom: Math.ceil(to.indexY(to.height)) + 1,
  };
  surface.beginPath();
  for (const [x1, y1, x2, y2] of outline(shape, seen)) {
    surface.moveTo(to.x(x1 - 0.5), to.y(y1 - 0.5));
    surface.lineTo(to.x(x2 - 0.5), to.y(y2 - 0.5));
  }
  surface.save();
  surface.lineCap = "square";
  seamed(surface, colour, width);
  surface.restore();
}

function drawHandles(surface: Surface, shape: Shape, colour: string, to: Projection): void {
  for (const { grip, x, y } of handlesOf(shape, 1 / to.scale)) {
    surface.beginPath();
    if (grip === "angle" || grip === "start" || grip === "stop") {
      surface.arc(to.x(x), to.y(y), 4.5, 0, TURN);
    } else {
      surface.rect(to.x(x) - 3.5, to.y(y) - 3.5, 7, 7);
    }
    surface.fillStyle = "#fff";
    surface.strokeStyle = SEAM;
    surface.lineWidth = 3.5;
    surface.stroke();
    surface.fill();
    surface.strokeStyle = colour;
    surface.lineWidth = 1.5;
    surface.stroke();
  }
}

/** Write each name beside its shape, where it covers no other one. */
function drawNames(
  surface: Surface,
  each: readonly { name: string; shape: Shape; colour: string }[],
  to: Projection,
  ratio: number,
): void {
  const taken: Bounds[] = [];
  // What was chosen comes last here, and chooses first.
  for (const { name, shape, colour } of [...each].reverse()) {
    const label = labelOf(name, colour, ratio);
    const half = label.width / 2 + 3;
    const spot = placeOf(shape, half, to, taken);
    if (!spot) continue;
    taken.push(boxAround(spot, half));
    drawLabel(surface, label, spot, ratio);
  }
}

/** Return where the middle of a name is written, `half` as wide; null for a shape that is not seen. */
export function placeOf(shape: Shape, half: number, to: Projection, taken: readonly Bounds[]): Pair | null {
  const { left, top, right, bottom } = boundsOf(shape);
  const [x, y] = [to.x((left + right) / 2), to.y((top + bottom) / 2)];
  const [halfX, halfY] = shape.type === "ellipse" ? halvesOf(shape) : [(right - left) / 2, (bottom - top) / 2];
  const [rx, ry] = [halfX * to.sx, halfY * to.sy];
  const isOutside = x + rx < 0 || x - rx > to.width || y + ry < 0 || y - ry > to.height;
  if (isOutside) return null;
  const isBox = shape.type === "rectangle" || shape.type === "polygon" || shape.type === "lasso";
  const spots = directionsOf(shape).map((degrees): Pair => {
    const [c, s] = [Math.cos((degrees * TURN) / 360), Math.sin((degrees * TURN) / 360)];
    // Beside the rim, farther out by what the text takes in that direction.
    const [outX, outY] = [c * (half + 4), s * (LINE_HEIGHT / 2 + 4)];
    if (isBox) return [x + Math.sign(c) * Math.max(rx - half, 0), y + Math.sign(s || -1) * (ry + LINE_HEIGHT / 2 + 3)];
    return [x + rx * c + outX, y + ry * s + outY];
  });
  const inside = spots.map(([sx, sy]): Pair => [
    Math.min(Math.max(sx, half), to.width - half),
    Math.min(Math.max(sy, LINE_HEIGHT / 2 + 1), to.height - LINE_HEIGHT / 2 - 1),
  ]);
  const isFree = (spot: Pair): boolean => !taken.some((box) => overlaps(box, boxAround(spot, half)));
  const isWhole = ([sx, sy]: Pair, i: number): boolean => sx === spots[i][0] && sy === spots[i][1];
  return (
    inside.find((spot, i) => isWhole(spot, i) && isFree(spot)) ?? inside.find(isFree) ?? inside[0]
  );
}

/** Where around its middle a name is looked a place for; that of a sector is beside no other one. */
function directionsOf(shape: Shape): readonly number[] {
  if (shape.type !== "sector") return PLACES;
  const turn = shape.stop - shape.start;
  const span = Math.abs(turn) >= 360 ? 360 : ((turn % 360) + 360) % 360;
  return SHARES.map((share) => shape.start + share * span);
}

/** Half the width and half the height of a turned ellipse. */
function halvesOf({ rx, ry, angle }: { rx: number; ry: number; angle: number }): Pair {
  const [c, s] = direction(angle);
  return [Math.hypot(rx * c, ry * s), Math.hypot(rx * s, ry * c)];
}

function boxAround([x, y]: Pair, half: number): Bounds {
  return { left: x - half, right: x + half, top: y - LINE_HEIGHT / 2, bottom: y + LINE_HEIGHT / 2 };
}

function overlaps(a: Bounds, b: Bounds): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function drawDraft(surface: Surface, corners: readonly Pair[], to: Projection): void {
  if (corners.length === 0) return;
  surface.beginPath();
  corners.forEach(([x, y], i) =>
    i === 0 ? surface.moveTo(to.x(x), to.y(y)) : surface.lineTo(to.x(x), to.y(y)),
  );
  seamed(surface, "#fff", 1.5);
  const [x, y] = corners[0];
  surface.beginPath();
  surface.arc(to.x(x), to.y(y), 4.5, 0, TURN);
  surface.fillStyle = "#fff";
  seamed(surface, "#fff", 1.5);
  surface.fill();
}
