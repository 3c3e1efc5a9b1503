/** 16-bit codes and the numbers they stand for; the inverse of `quantise.py`. */

/** Codes above 1. */
export const STEPS = 65534;
export const CURVE_DEPTH = 1e12;

export interface Encoding {
  lo: number;
  hi: number;
  curve: "linear" | "log";
}

/** Return the value of a code; NaN for code 0, which means "no value". */
export function decode(code: number, { lo, hi, curve }: Encoding): number {
  if (code === 0) return NaN;
  let u = (code - 1) / STEPS;
  if (curve === "log") u = Math.expm1(u * Math.log1p(CURVE_DEPTH)) / CURVE_DEPTH;
  return lo + u * (hi - lo);
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
