/**
 * The values along a ruler, of what the page has: linear interpolation, and the mean across its width.
 *
 * `udfwidgets/live/closer/along.py` does the same with the values themselves.
 */

/** Two ends, as indices of pixels, and a width in pixels. */
export interface Ruler {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  width: number;
}

/** The value of a pixel; null where there is none, yet or at all. */
export type Read = (y: number, x: number) => number | null;

export interface Profile {
  /** In pixels. */
  distances: Float64Array;
  /** NaN where there is none. */
  values: Float64Array;
}

export const lengthOf = ({ x0, y0, x1, y1 }: Ruler): number => Math.hypot(x1 - x0, y1 - y0);

/** In degrees, from +x towards +y: clockwise on the screen. */
export const angleOf = ({ x0, y0, x1, y1 }: Ruler): number =>
  (Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI;

/** Read a ruler as Python keeps it; null for an empty list, and for what is none. */
export function rulerOf(plain: readonly number[] | undefined): Ruler | null {
  if (plain?.length !== 5 || !plain.every(Number.isFinite)) return null;
  const [x0, y0, x1, y1, width] = plain;
  return { x0, y0, x1, y1, width };
}

export const plainOf = ({ x0, y0, x1, y1, width }: Ruler): number[] => [x0, y0, x1, y1, width];

export function profileOf(ruler: Ruler, [ny, nx]: readonly [number, number], read: Read): Profile {
  const length = lengthOf(ruler);
  const n = Math.ceil(length) + 1;
  const lines = Math.max(1, Math.round(ruler.width));
  const [dx, dy] = length ? [(ruler.x1 - ruler.x0) / length, (ruler.y1 - ruler.y0) / length] : [1, 0];
  const distances = new Float64Array(n);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const share = n > 1 ? i / (n - 1) : 0;
    distances[i] = share * length;
    let [sum, weight] = [0, 0];
    for (let line = 0; line < lines; line++) {
      const aside = line - (lines - 1) / 2;
      const x = ruler.x0 + share * (ruler.x1 - ruler.x0) - aside * dy;
      const y = ruler.y0 + share * (ruler.y1 - ruler.y0) + aside * dx;
      if (x < -0.5 || y < -0.5 || x > nx - 0.5 || y > ny - 0.5) continue;
      const [s, w] = between(within(y, ny), within(x, nx), ny, nx, read);
      sum += s;
      weight += w;
    }
    values[i] = weight > 1e-9 ? sum / weight : NaN;
  }
  return { distances, values };
}

/** Up to its edge a pixel has its own value. */
const within = (at: number, n: number): number => Math.min(Math.max(at, 0), n - 1);

/** Return the weighted sum of the four pixels around a place, and the sum of their weights. */
function between(y: number, x: number, ny: number, nx: number, read: Read): [number, number] {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [fy, fx] = [y - top, x - left];
  let [sum, weight] = [0, 0];
  for (const [j, i, w] of [
    [top, left, (1 - fy) * (1 - fx)],
    [top, left + 1, (1 - fy) * fx],
    [top + 1, left, fy * (1 - fx)],
    [top + 1, left + 1, fy * fx],
  ]) {
    const value = w > 0 && j < ny && i < nx ? read(j, i) : null;
    if (value === null || !Number.isFinite(value)) continue;
    sum += w * value;
    weight += w;
  }
  return [sum, weight];
}
