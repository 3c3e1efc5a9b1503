/**
 * What a page remembers of an image: small copies of the pictures that it has shown.
 *
 * They cost the kernel nothing, and are there at once while a cell runs. Of a run there are at most
 * 64, of 128 pixels a side at most: 3 MB for an image. When there are more, those go first that have
 * the nearest neighbours, on a scale that is stretched at both ends, where little means much: early
 * pictures change fast, and of late ones it is asked whether they change at all.
 */

import { decode, STEPS } from "../wire/codec";
import type { ImageFrame } from "../wire/protocol";
import { ImageStore, type Tint } from "../wire/store";

export const MOST = 64;
export const SIDE = 128;
/** Of the scan, how much comes between two of them at least. */
const LEAST = 1 / 256;

export interface Step {
  fraction: number;
  frame: ImageFrame;
  codes: Uint16Array;
  tint: Tint | null;
  coverage: Uint8Array | null;
}

/** Where a share of a scan lies on a scale that is stretched at both ends. */
export function stretched(fraction: number): number {
  return Math.asin(Math.sqrt(Math.min(1, Math.max(0, fraction))));
}

export class Record {
  steps: Step[] = [];
  /** Another run, slice or component: what was is of no use to compare with. */
  private of = "";

  constructor(private readonly store: ImageStore) {
    store.views.add(() => this.note());
    this.note();
  }

  /** Remember what the store has now, if it is worth it. */
  private note(): void {
    const { frame } = this.store;
    if (!frame || frame.fraction <= 0) return;
    const of = JSON.stringify([frame.generation, frame.slice, frame.component, frame.colours]);
    if (of !== this.of) this.steps = [];
    this.of = of;
    const last = this.steps.at(-1);
    if (last && !frame.final && frame.fraction < last.fraction + LEAST) return;
    if (last && frame.fraction === last.fraction) this.steps.pop();
    this.steps.push(copy(this.store, frame));
    if (this.steps.length > MOST) this.thin();
  }

  /** Let go of the step whose neighbours are nearest to each other. */
  private thin(): void {
    const at = this.steps.map((step) => stretched(step.fraction));
    let [least, which] = [Infinity, 1];
    for (let i = 1; i < at.length - 1; i++) {
      const gap = at[i + 1] - at[i - 1];
      if (gap < least) [least, which] = [gap, i];
    }
    this.steps.splice(which, 1);
  }

  /** The step that was there when so much was in; null if there is none. */
  at(fraction: number): Step | null {
    const later = this.steps.findIndex((step) => step.fraction > fraction + 1e-9);
    return this.steps.at(later < 0 ? -1 : Math.max(0, later - 1)) ?? null;
  }
}

const records = new WeakMap<ImageStore, Record>();

/** Return the record of an image, from now on. */
export function recordOf(store: ImageStore): Record {
  let record = records.get(store);
  if (!record) records.set(store, (record = new Record(store)));
  return record;
}

function copy(store: ImageStore, frame: ImageFrame): Step {
  const [height, width] = frame.grid;
  const by = Math.max(1, Math.ceil(Math.max(height, width) / SIDE));
  const [rows, columns] = [Math.ceil(height / by), Math.ceil(width / by)];
  const size = rows * columns;
  const coverage = store.kind === "nav" && store.coverage ? new Uint8Array(size) : null;
  const codes = new Uint16Array(size);
  // Plain loops: while a hand moves there is one of them for each frame of the page.
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      const place = (y * width + x) * by;
      codes[i] = store.codes[place];
      if (coverage && store.coverage) coverage[i] = store.coverage[place];
    }
  }
  const grid: [number, number] = [rows, columns];
  const rect: ImageFrame["rect"] = [0, 0, rows, columns];
  // Of one generation: the run before is no part of what was.
  const one = { generation: 0, whole: true, final: false, detail: null, detail_rect: null };
  const kept = { ...frame, ...one, grid, rect };
  const { tint } = store;
  return { fraction: frame.fraction, frame: kept, codes, tint: tint && few(tint, grid, width, by), coverage };
}

function few(tint: Tint, [rows, columns]: [number, number], width: number, by: number): Tint {
  const each = tint instanceof Uint16Array ? 1 : 3;
  const size = rows * columns * each;
  const out = each === 1 ? new Uint16Array(size) : new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const pixel = Math.floor(i / each);
    const place = (Math.floor(pixel / columns) * width + (pixel % columns)) * by;
    out[i] = tint[each * place + (i % each)];
  }
  return out;
}

/** The values of a step; NaN where there is none: what was not merged yet has an estimate, or none. */
export function values({ codes, frame }: Step): Float64Array {
  return Float64Array.from(codes, (code) => decode(code, frame));
}

/**
 * By how much the picture changes from one step to another: the root of the mean square of what
 * differs, as a share of that of the picture. Each is taken by its mean magnitude, as a sum grows
 * although its picture stays the same.
 */
export function change(before: Step, after: Step): number {
  const [a, b] = [values(before), values(after)];
  const both = [...b.keys()].filter((i) => !Number.isNaN(a[i]) && !Number.isNaN(b[i]));
  const mean = (of: Float64Array): number =>
    both.reduce((sum, i) => sum + Math.abs(of[i]), 0) / both.length;
  const [scaleA, scaleB] = [mean(a), mean(b)];
  if (!(scaleA > 0 && scaleB > 0)) return NaN;
  let [sum, size] = [0, 0];
  for (const i of both) {
    sum += (b[i] / scaleB - a[i] / scaleA) ** 2;
    size += (b[i] / scaleB) ** 2;
  }
  return Math.sqrt(sum / size);
}

/** Put a step into a store of its own, from which it is drawn as any picture is. */
export function put(store: ImageStore, step: Step): void {
  store.frame = step.frame;
  store.codes = new Uint16Array(step.codes);
  store.tint = step.tint;
  store.coverage = step.coverage;
  store.flashes = [];
  store.revision += 1;
}

/** Put what the later one of two steps has more than the earlier one; return the largest, of either sign. */
export function putDifference(store: ImageStore, before: Step, after: Step): number {
  const [a, b] = [values(before), values(after)];
  const more = b.map((value, i) => value - a[i]);
  const largest = more.reduce((most, each) => Math.max(most, Math.abs(each) || 0), 0) || 1;
  const codes = Uint16Array.from(more, (each) =>
    Number.isNaN(each) ? 0 : Math.round(((each / largest + 1) / 2) * STEPS) + 1,
  );
  const frame = { ...after.frame, lo: -largest, hi: largest, curve: null, colours: "map" as const };
  put(store, { ...after, frame, codes, tint: null });
  return largest;
}
