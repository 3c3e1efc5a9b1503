/** 16-bit codes and the numbers they stand for; the inverse of `quantise.py`. */

import type { Curve } from "./protocol";

/** Codes above 1. */
export const STEPS = 65534;
/** Share of the codes for what lies on one side outside of the contrast. */
const OUTSIDE = 0.25;

export interface Encoding {
  lo: number;
  hi: number;
  curve: Curve | null;
}

/** Return the value of a code; NaN for code 0, which means "no value". */
export function decode(code: number, { lo, hi, curve }: Encoding): number {
  if (code === 0) return NaN;
  const u = (code - 1) / STEPS;
  if (curve === null) return lo + u * (hi - lo);
  const [centre, scale, low, high] = curve;
  const below = lo < low ? OUTSIDE : 0;
  const above = 1 - (high < hi ? OUTSIDE : 0);
  const bent = (value: number): number => Math.asinh((value - centre) / scale);
  const between = (a: number, b: number, t: number): number => bent(a) + t * (bent(b) - bent(a));
  const y =
    u < below
      ? between(lo, low, u / below)
      : u > above
        ? between(high, hi, (u - above) / (1 - above))
        : between(low, high, (u - below) / (above - below));
  return Math.min(hi, Math.max(lo, centre + scale * Math.sinh(y)));
}

/** Return half the distance to the next code, so how exact a decoded value is. */
export function precision(code: number, encoding: Encoding): number {
  const other = code > 1 ? code - 1 : code + 1;
  return Math.abs(decode(code, encoding) - decode(other, encoding)) / 2;
}

/** Copy little-endian 16-bit codes out of a message, whatever its alignment. */
export function readCodes(bytes: DataView): Uint16Array {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return new Uint16Array(copy as ArrayBuffer);
}

/** Unpack bits, lowest first, into one byte each. */
export function readBits(bytes: DataView, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (bytes.getUint8(i >> 3) >> (i & 7)) & 1;
  return out;
}
