/** What a number of a shape is in the units of the image, where these are known. */

import type { Scale, Units } from "../../page/settings";
import { numberOf, toNumber, withNumber, type Shape } from "../figures";

const PIXEL: Scale = [1, "px"];
const DEGREE: Scale = [1, "°"];
const ALONG_X = new Set(["cx", "width", "rx"]);
const ALONG_Y = new Set(["cy", "height", "ry"]);
const ANGLES = new Set(["start", "stop", "angle"]);

/** Return what a field of a shape is counted in; pixels where no length goes for all directions. */
export function scaleOf(shape: Shape, field: string, [y, x]: Units): Scale {
  if (ANGLES.has(field)) return DEGREE;
  const isTurned = shape.type === "ellipse" && shape.angle !== 0 && (field === "rx" || field === "ry");
  if (ALONG_X.has(field) && !isTurned) return x ?? PIXEL;
  if (ALONG_Y.has(field) && !isTurned) return y ?? PIXEL;
  return x && y && x[0] === y[0] && x[1] === y[1] ? x : PIXEL;
}

/** Return the units that there are, to be chosen beside pixels; nothing if there are none. */
export function wordOf(units: Units): string {
  const words = new Set(units.flatMap((scale) => (scale ? [scale[1]] : [])));
  return [...words].join(", ");
}

/** Write a number as it is typed: thousandths of a pixel are enough, and exact ones stay as they are. */
export function spelt(shape: Shape, field: string, [size]: Scale): string {
  const value = numberOf(shape, field);
  if (size === 1) return String(Math.round(value * 1000) / 1000);
  // As many digits as tell thousandths of a pixel apart.
  const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(size)) + 3));
  return String(Number((value * size).toFixed(digits)));
}

/** Return the shape with the number that was typed. */
export function typed(shape: Shape, field: string, text: string, [size]: Scale): Shape {
  return withNumber(shape, field, toNumber(text) / size);
}
