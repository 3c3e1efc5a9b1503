/** The colours of pixels that have a tint; rule for rule what `wheel.py` does, in whole numbers. */

import type { Rect } from "../wire/protocol";
import type { Tint } from "../wire/store";
import { table } from "./colour";

/** Steps of a direction to each colour of a map. */
const STEP = 257;
/** Steps of a direction from -180 to 180 degrees. */
const TURN = 65535;
const OPAQUE = 0xff000000;

/** The direction of a code, in radians; y points down. */
export function angle(code: number): number {
  return (code / TURN - 0.5) * 2 * Math.PI;
}

/** By colour map; there are few that go round. */
const tables = new Map<string, Uint32Array>();

/** Return the pixel of each hue at each brightness, as ImageData wants it. */
export function hues(colormap: string): Uint32Array {
  const known = tables.get(colormap);
  if (known) return known;
  const rgb = table(colormap);
  const made = Uint32Array.from({ length: 65536 }, (_, i) => {
    const level = i & 255;
    const [red, green, blue] = [0, 1, 2].map((channel) =>
      Math.floor((rgb[3 * (i >> 8) + channel] * level + 127) / 255),
    );
    return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
  });
  tables.set(colormap, made);
  return made;
}

/**
 * Return pixels: hues as bright as their codes, or colours as they are. Where a code says that there
 * is no value, its own colour counts.
 */
export function mixed(
  codes: Uint16Array,
  tint: Tint,
  stride: number,
  [top, left, height, width]: Rect,
  colours: Uint32Array,
  wheel: Uint32Array | null,
): ImageData {
  const image = new ImageData(width, height);
  const out = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    const row = (top + y) * stride + left;
    for (let x = 0; x < width; x++) {
      const at = row + x;
      const code = codes[at];
      if (code === 0) out[y * width + x] = colours[0];
      else if (wheel) {
        const hue = Math.floor((tint[at] + (STEP >> 1)) / STEP);
        out[y * width + x] = wheel[(hue << 8) | (colours[code] & 255)];
      } else {
        out[y * width + x] =
          (OPAQUE | (tint[3 * at + 2] << 16) | (tint[3 * at + 1] << 8) | tint[3 * at]) >>> 0;
      }
    }
  }
  return image;
}

/** Return a disk of all directions and magnitudes: the key of a colour wheel. */
export function key(side: number, colormap: string): ImageData {
  const wheel = hues(colormap);
  const image = new ImageData(side, side);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < side * side; i++) {
    const y = ((Math.floor(i / side) + 0.5) / side) * 2 - 1;
    const x = (((i % side) + 0.5) / side) * 2 - 1;
    const far = Math.hypot(y, x);
    const turns = Math.atan2(y, x) / (2 * Math.PI) + 0.5;
    const hue = Math.floor((Math.floor(turns * TURN + 0.5) + (STEP >> 1)) / STEP);
    if (far <= 1) out[i] = wheel[(hue << 8) | Math.floor(far * 255 + 0.5)];
  }
  return image;
}
