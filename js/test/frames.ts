/** Frames as the kernel would send them. */

import type { ImageFrame, Rect } from "../src/wire/protocol";

export function frame(
  grid: [number, number],
  rect: Rect,
  codes: readonly number[] | null,
  more: Partial<ImageFrame> = {},
): { part: ImageFrame; buffers: DataView[] } {
  const buffers = codes ? [new DataView(Uint16Array.from(codes).buffer)] : [];
  const part: ImageFrame = {
    key: "image",
    sequence: 1,
    generation: 0,
    whole: true,
    shape: grid,
    grid,
    rect,
    lo: 0,
    hi: 65534,
    curve: null,
    limits: [0, 10],
    limits_log: [0, 100],
    fraction: 1,
    final: false,
    slice: 0,
    component: "",
    colours: "map",
    estimated: false,
    pixels: codes ? 0 : null,
    tint: null,
    coverage: null,
    outside: null,
    detail: null,
    detail_tint: null,
    detail_rect: null,
    ...more,
  };
  return { part, buffers };
}

export function bits(on: readonly number[], count: number): DataView {
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (const i of on) bytes[i >> 3] |= 1 << (i & 7);
  return new DataView(bytes.buffer);
}
