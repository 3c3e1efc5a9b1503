/** Where data pixels are on the screen: pure arithmetic on boxes. */

import type { Rect } from "../wire/protocol";

/** The part of the image that is shown, in data pixels; `y0` is the upper edge. */
export interface Window {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Return where a box of data pixels lies on a canvas of this size that shows `window`. */
export function place(data: Box, window: Window, width: number, height: number): Box {
  const sx = width / (window.x1 - window.x0);
  const sy = height / (window.y1 - window.y0);
  return {
    x: (data.x - window.x0) * sx,
    y: (data.y - window.y0) * sy,
    width: data.width * sx,
    height: data.height * sy,
  };
}

/** Return what a place of the screen shows in another window, by what it shows in this one. */
export function carried(
  at: { x: number; y: number },
  from: Window,
  to: Window,
): { x: number; y: number } {
  return {
    x: to.x0 + ((at.x - from.x0) / (from.x1 - from.x0)) * (to.x1 - to.x0),
    y: to.y0 + ((at.y - from.y0) / (from.y1 - from.y0)) * (to.y1 - to.y0),
  };
}

/** Zoom by `factor` about a point given as shares of the window, and stay inside the image. */
export function zoom(
  window: Window,
  factor: number,
  at: { x: number; y: number },
  nx: number,
  ny: number,
): Window {
  const width = window.x1 - window.x0;
  const height = window.y1 - window.y0;
  // One step for both axes keeps pixels square; never closer than two pixels.
  const nearest = Math.min(1, Math.max(2 / width, 2 / height));
  const farthest = Math.max(nx / width, ny / height);
  const step = Math.min(Math.max(factor, nearest), farthest);
  const x = window.x0 + at.x * width * (1 - step);
  const y = window.y0 + at.y * height * (1 - step);
  return inside({ x0: x, x1: x + width * step, y0: y, y1: y + height * step }, nx, ny);
}

/** Move by shares of the window, and stay inside the image. */
export function pan(window: Window, dx: number, dy: number, nx: number, ny: number): Window {
  const x = dx * (window.x1 - window.x0);
  const y = dy * (window.y1 - window.y0);
  return inside(
    { x0: window.x0 - x, x1: window.x1 - x, y0: window.y0 - y, y1: window.y1 - y },
    nx,
    ny,
  );
}

/** Push a window back into the image; one that is larger becomes the image. */
export function inside(window: Window, nx: number, ny: number): Window {
  const [x0, x1] = within(window.x0, window.x1, nx);
  const [y0, y1] = within(window.y0, window.y1, ny);
  return { x0, x1, y0, y1 };
}

function within(start: number, end: number, length: number): [number, number] {
  const extent = end - start;
  if (extent >= length) return [0, length];
  const first = Math.min(Math.max(start, 0), length - extent);
  return [first, first + extent];
}

export function isWhole(window: Window, nx: number, ny: number): boolean {
  return window.x0 <= 0 && window.y0 <= 0 && window.x1 >= nx && window.y1 >= ny;
}

/** Return the data pixels that a window touches. */
export function touched(window: Window, nx: number, ny: number): Rect {
  const x = Math.max(0, Math.floor(window.x0));
  const y = Math.max(0, Math.floor(window.y0));
  const right = Math.min(nx, Math.ceil(window.x1));
  const bottom = Math.min(ny, Math.ceil(window.y1));
  return [y, x, Math.max(0, bottom - y), Math.max(0, right - x)];
}

/** Return the smallest rectangle around two; one of no size does not count. */
export function union(a: Rect, b: Rect): Rect {
  if (a[2] === 0 || a[3] === 0) return b;
  if (b[2] === 0 || b[3] === 0) return a;
  const y = Math.min(a[0], b[0]);
  const x = Math.min(a[1], b[1]);
  return [y, x, Math.max(a[0] + a[2], b[0] + b[2]) - y, Math.max(a[1] + a[3], b[1] + b[3]) - x];
}
