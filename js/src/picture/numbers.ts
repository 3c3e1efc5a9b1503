/** The numbers that an image shows, as a spreadsheet takes them: one line for each row of pixels. */

import { touched, type Window } from "./geometry";
import type { Reading } from "../wire/store";

export interface Table {
  text: string;
  rows: number;
  columns: number;
  /** Each number is the mean of a square of so many pixels a side. */
  side: number;
}

/** Numbers, whose they are, or why there are none. */
export type Copied = (Table & { isThen: boolean }) | { why: string };

/** What a store tells of its pixels. */
interface Source {
  grid: readonly [number, number];
  detail: { rect: readonly number[] } | null;
  at(y: number, x: number, useDetail: boolean): Reading | null;
}

/** What is drawn of the past in place of a store. */
interface Shown {
  source: Source | null;
  isDifference: boolean;
}

/** Return what a window shows, of now or of then, unless there is nothing to copy. */
export function copiedOf(
  now: Source,
  { source, isDifference }: Shown,
  shape: readonly [number, number],
  window: Window,
): Copied {
  // Its digits are those of two pictures, which are not told apart.
  if (isDifference) return { why: "Numbers of what has come since are not copied: show a picture" };
  const store = source ?? now;
  if (store.grid[0] * store.grid[1] === 0) return { why: "There is nothing to copy yet" };
  return { ...tableOf(store, shape, window), isThen: source !== null };
}

/** Say what was copied. */
export function copiedText({ rows, columns, side, isThen }: Table & { isThen: boolean }): string {
  // Of what was, small copies are kept.
  const of = isThen ? `one for each ${side} × ${side} pixels` : `means of ${side} × ${side} pixels`;
  const what = `Copied ${rows} × ${columns} numbers${isThen ? " of then" : ""}`;
  return side > 1 ? `${what}, ${of}` : what;
}

/** Return what a window of an image of a shape shows; nothing is written where there is no number. */
export function tableOf(store: Source, [ny, nx]: readonly [number, number], window: Window): Table {
  const [top, left, height, width] = touched(window, nx, ny);
  const side = store.detail ? sideWithin(store.detail.rect, [top, left, height, width]) : 0;
  const step = side || Math.max(Math.ceil(ny / store.grid[0]), Math.ceil(nx / store.grid[1]));
  const from = (at: number): number => Math.floor(at / step) * step;
  const places = (first: number, end: number): number[] =>
    Array.from({ length: Math.ceil((end - from(first)) / step) }, (_, i) => from(first) + i * step);
  const [down, across] = [places(top, top + height), places(left, left + width)];
  const lines = down.map((y) => across.map((x) => written(store.at(y, x, side === 1))).join("\t"));
  return { text: `${lines.join("\n")}\n`, rows: down.length, columns: across.length, side: step };
}

/** Return 1 if a part in full resolution has all of a window, or else 0. */
function sideWithin([top, left, height, width]: readonly number[], window: readonly number[]): number {
  const [y, x, rows, columns] = window;
  const isInside = y >= top && x >= left && y + rows <= top + height && x + columns <= left + width;
  return Number(isInside);
}

/** Write a number with the digits that are known. */
function written(reading: Reading | null): string {
  if (!reading?.covered || Number.isNaN(reading.value)) return "";
  const { value, error } = reading;
  if (error <= 0) return String(value);
  if (Math.abs(value) <= error * 1e-3) return "0";
  const digits = Math.ceil(Math.log10(Math.abs(value) / error)) + 1;
  return String(Number(value.toPrecision(Math.min(17, Math.max(1, digits)))));
}
