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

/** Read little-endian 16-bit codes of a message, where they are if their alignment allows it. */
export function readCodes({ buffer, byteOffset, byteLength }: DataView): Uint16Array {
  if (byteOffset % 2 === 0) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Unpack bits, lowest first, into one byte each: into an array of before if it is as long. */
export function readBits(bytes: DataView, count: number, into?: Uint8Array | null): Uint8Array {
  const out = into?.length === count ? into : new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (bytes.getUint8(i >> 3) >> (i & 7)) & 1;
  return out;
}
