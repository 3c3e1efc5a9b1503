/** How long something is in the units of an image. */

import type { Ruler } from "./profile";
import { lengthOf } from "./profile";
import type { Scale, Units } from "../page/settings";

/** Return how long a pixel is in the direction of a ruler, and in what. */
export function scaleOf(ruler: Ruler, [y, x]: Units): Scale {
  const pixels = lengthOf(ruler);
  if (!y || !x || y[1] !== x[1] || pixels === 0) return [1, "px"];
  const across = (ruler.x1 - ruler.x0) * x[0];
  const down = (ruler.y1 - ruler.y0) * y[0];
  return [Math.hypot(across, down) / pixels, x[1]];
}
