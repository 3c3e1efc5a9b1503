/**
 * Shapes as plain data, as they travel and as Python has them (`udfwidgets/geometry/`).
 *
 * Numbers are indices of data pixels: x to the right, y down, (0, 0) is the centre of the first one.
 * Angles are in degrees, from +x towards +y.
 */

export type Pair = [x: number, y: number];
export interface Position {
  x: number;
  y: number;
}

interface Centred {
  cx: number;
  cy: number;
}
interface Ringed extends Centred {
  ri: number;
  ro: number;
}
export interface Point extends Centred {
  type: "point";
}
export interface Disk extends Centred {
  type: "disk";
  r: number;
}
export interface Annulus extends Ringed {
  type: "annulus";
}
export interface Sector extends Ringed {
  type: "sector";
  start: number;
  stop: number;
}
export interface Rectangle extends Centred {
  type: "rectangle";
  width: number;
  height: number;
}
export interface Ellipse extends Centred {
  type: "ellipse";
  rx: number;
  ry: number;
  angle: number;
}
export interface Polygon {
  type: "polygon" | "lasso";
  points: Pair[];
}
export interface Brush {
  type: "brush";
  points: Pair[];
  r: number;
}
export type Shape = Point | Disk | Annulus | Sector | Rectangle | Ellipse | Polygon | Brush;
export type Kind = Shape["type"];

/** What can be drawn, in the order in which it is offered. */
export const KINDS = [
  "point",
  "disk",
  "annulus",
  "sector",
  "rectangle",
  "ellipse",
  "polygon",
  "lasso",
  "brush",
] as const satisfies readonly Kind[];

/** The numbers of each kind; of what follows points `cx` and `cy` are the middle of its box. */
export const FIELDS: Record<Kind, readonly string[]> = {
  point: ["cx", "cy"],
  disk: ["cx", "cy", "r"],
  annulus: ["cx", "cy", "ri", "ro"],
  sector: ["cx", "cy", "ri", "ro", "start", "stop"],
  rectangle: ["cx", "cy", "width", "height"],
  ellipse: ["cx", "cy", "rx", "ry", "angle"],
  polygon: ["cx", "cy"],
  lasso: ["cx", "cy"],
  brush: ["cx", "cy", "r"],
};

const SIZES = new Set(["r", "ri", "ro", "rx", "ry", "width", "height"]);
/** Python takes no number that is farther out, and no more points. */
const FARTHEST = 1e9;
export const MOST_POINTS = 10_000;

export interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function hasPoints(shape: Shape): shape is Polygon | Brush {
  return "points" in shape;
}

/** Return a box around a shape; that of a turned ellipse is square. */
export function boundsOf(shape: Shape): Bounds {
  if (hasPoints(shape)) {
    const xs = shape.points.map(([x]) => x);
    const ys = shape.points.map(([, y]) => y);
    const r = shape.type === "brush" ? shape.r : 0;
    return {
      left: Math.min(...xs) - r,
      top: Math.min(...ys) - r,
      right: Math.max(...xs) + r,
      bottom: Math.max(...ys) + r,
    };
  }
  const [x, y] = reachOf(shape);
  const { cx, cy } = shape;
  return { left: cx - x, top: cy - y, right: cx + x, bottom: cy + y };
}

function reachOf(shape: Exclude<Shape, Polygon | Brush>): Pair {
  switch (shape.type) {
    case "point":
      return [0.5, 0.5];
    case "disk":
      return [shape.r, shape.r];
    case "annulus":
    case "sector":
      return [shape.ro, shape.ro];
    case "rectangle":
      return [shape.width / 2, shape.height / 2];
    case "ellipse": {
      const longest = Math.max(shape.rx, shape.ry);
      return [longest, longest];
    }
  }
}

export function centreOf(shape: Shape): Position {
  if (!hasPoints(shape)) return { x: shape.cx, y: shape.cy };
  const { left, top, right, bottom } = boundsOf(shape);
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}

export function moved<Each extends Shape>(shape: Each, dx: number, dy: number): Each {
  if (hasPoints(shape)) {
    return { ...shape, points: shape.points.map(([x, y]): Pair => [x + dx, y + dy]) };
  }
  return { ...shape, cx: shape.cx + dx, cy: shape.cy + dy };
}

/** Return a number of a shape by its name in `FIELDS`. */
export function numberOf(shape: Shape, field: string): number {
  if (field === "cx" && hasPoints(shape)) return centreOf(shape).x;
  if (field === "cy" && hasPoints(shape)) return centreOf(shape).y;
  return (shape as unknown as Record<string, number>)[field];
}

/** Return a shape with another number. */
export function withNumber(shape: Shape, field: string, value: number): Shape {
  if (hasPoints(shape) && (field === "cx" || field === "cy")) {
    const by = value - numberOf(shape, field);
    return field === "cx" ? moved(shape, by, 0) : moved(shape, 0, by);
  }
  return { ...shape, [field]: value };
}

/** Return in words why a text is no number for a field of a shape; nothing if it is one. */
export function refusalOf(shape: Shape, field: string, text: string, size = 1): string {
  const value = toNumber(text);
  if (Number.isNaN(value)) return `${field} is no number: type one, such as 12.5`;
  if (!(Math.abs(value / size) <= FARTHEST)) return `${field} (${text.trim()}) is too far out`;
  if (SIZES.has(field) && value < 0) return `${field} (${value}) has to be 0 or more`;
  const changed = withNumber(shape, field, value / size);
  if ("ri" in changed && changed.ri > changed.ro) {
    const [ri, ro] = [changed.ri, changed.ro].map((each) => Number((each * size).toPrecision(6)));
    return `ri (${ri}) has to be no larger than ro (${ro})`;
  }
  return "";
}

/** Read a number as people write it; NaN for anything else. */
export function toNumber(text: string): number {
  const trimmed = text.trim().replace(",", ".").replace(/[−–]/, "-");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : NaN;
}

/** Round to hundredths of a pixel, which no hand can tell, so that the numbers can be read. */
export function rounded<Each extends Shape>(shape: Each): Each {
  const round = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(round);
    // Without negative zero, which is written in another way.
    return typeof value === "number" ? Math.round(value * 100) / 100 + 0 : value;
  };
  const entries = Object.entries(shape).map(([name, value]): [string, unknown] => [
    name,
    round(value),
  ]);
  return Object.fromEntries(entries) as unknown as Each;
}
