/** What a page knows of one image: the newest codes, coverage and limits, whoever looks at it. */

import { decode, precision, readBits, readCodes } from "./codec";
import { union } from "../picture/geometry";
import type { Part, Receiver } from "./hub";
import type { ImageFrame, Rect } from "./protocol";

/** Positions that were merged together, and when that was shown. */
export interface Flash {
  at: number;
  rect: Rect;
  /** One byte for each pixel of `rect`. */
  mask: Uint8Array;
}

export interface Detail {
  rect: Rect;
  codes: Uint16Array;
  tint: Tint | null;
}

/** Of each pixel besides its code: its direction, or red, green and blue. */
export type Tint = Uint16Array | Uint8Array;

/** What there is to say of one pixel. */
export interface Reading {
  value: number;
  error: number;
  covered: boolean;
  /** Nothing is ever merged there: outside of a roi, or where frames are missing. */
  outside: boolean;
}

export const FLASH_MILLISECONDS = 450;
/** More than these are not kept: as many as come between two pictures that are painted. */
const FLASHES = 6;
const NONE: Rect = [0, 0, 0, 0];

export class ImageStore implements Receiver {
  frame: ImageFrame | null = null;
  codes = new Uint16Array(0);
  tint: Tint | null = null;
  /** Of a nav image one byte per pixel of the grid, of a sig image one per bin of the scan. */
  coverage: Uint8Array | null = null;
  /** What coverage was before, to be written over. */
  private spare: Uint8Array | null = null;
  /** Of a nav image, one byte per pixel of the grid: 1 where nothing is ever merged. */
  private outside: Uint8Array | null = null;
  detail: Detail | null = null;
  flashes: Flash[] = [];
  /** Frames that were taken in; a view compares it with what it has drawn. */
  revision = 0;
  readonly views = new Set<() => void>();
  private coloured: ImageFrame["colours"] = "map";
  private readonly changes: { revision: number; rect: Rect }[] = [];

  constructor(
    readonly kind: "nav" | "sig",
    private readonly now: () => number = () => performance.now(),
  ) {}

  get sequence(): number {
    return this.frame?.sequence ?? 0;
  }

  get settled(): boolean {
    return this.frame?.final ?? false;
  }

  get grid(): readonly [number, number] {
    return this.frame?.grid ?? [0, 0];
  }

  apply(part: Part, buffers: readonly DataView[]): boolean {
    const frame = part as ImageFrame;
    if (!frame.whole && (!this.frame || frame.sequence !== this.frame.sequence + 1)) return false;
    const fresh = !this.frame || frame.whole || frame.generation !== this.frame.generation;
    const [height, width] = frame.grid;
    if (this.codes.length !== height * width) {
      this.tint = null;
      this.codes = new Uint16Array(height * width);
      this.coverage = null;
    }
    this.frame = frame;
    if (frame.pixels !== null) patch(this.codes, frame.rect, readCodes(buffers[frame.pixels]), width);
    // A notebook that was saved by an older version has none.
    this.takeTint(readTint(frame, (frame as Partial<ImageFrame>).tint ?? null, buffers));
    let rect: Rect = frame.whole ? [0, 0, height, width] : frame.rect;
    // Pixels that were not sent again become visible where coverage has grown.
    if (frame.coverage !== null) rect = union(rect, this.cover(buffers[frame.coverage], fresh));
    // A notebook that was saved by an older version does not say.
    const outside = (frame as Partial<ImageFrame>).outside ?? null;
    if (outside !== null) this.outside = readBits(buffers[outside], this.codes.length);
    else if (frame.whole) this.outside = null;
    this.detail =
      frame.detail !== null && frame.detail_rect !== null
        ? {
            rect: frame.detail_rect,
            codes: readCodes(buffers[frame.detail]),
            tint: readTint(frame, (frame as Partial<ImageFrame>).detail_tint ?? null, buffers),
          }
        : null;
    this.revision += 1;
    this.note(rect);
    return true;
  }

  paint(): void {
    for (const view of this.views) view();
  }

  /** What has changed after a revision; null for everything. */
  changedSince(revision: number): Rect | null {
    const oldest = this.changes.at(0);
    if (!oldest || revision < oldest.revision - 1) return null;
    return this.changes
      .filter((change) => change.revision > revision)
      .reduce((rect, change) => union(rect, change.rect), NONE);
  }

  /**
   * The value of a data pixel, how exact it is, and whether it has been, or will be, merged.
   *
   * It is from a part in full resolution where there is one, or else always that of the grid.
   */
  at(y: number, x: number, useDetail = true): Reading | null {
    const frame = this.frame;
    if (!frame || y < 0 || x < 0 || y >= frame.shape[0] || x >= frame.shape[1]) return null;
    const index = this.index(y, x);
    let code = this.codes[index];
    if (useDetail && this.detail) {
      const [top, left, rows, columns] = this.detail.rect;
      if (y >= top && x >= left && y < top + rows && x < left + columns) {
        code = this.detail.codes[(y - top) * columns + x - left];
      }
    }
    const covered =
      this.kind === "sig" ? frame.fraction > 0 : !this.coverage || this.coverage[index] === 1;
    const outside = this.outside?.[index] === 1;
    return { value: decode(code, frame), error: precision(code, frame), covered, outside };
  }

  /** The tint of a data pixel: one direction, three colours, or nothing. */
  tintAt(y: number, x: number): readonly number[] | null {
    const { frame, detail } = this;
    if (!frame || !this.tint) return null;
    let [tint, index] = [this.tint, this.index(y, x)];
    if (detail?.tint) {
      const [top, left, rows, columns] = detail.rect;
      if (y >= top && x >= left && y < top + rows && x < left + columns) {
        [tint, index] = [detail.tint, (y - top) * columns + x - left];
      }
    }
    const each = depth(tint);
    return [...tint.subarray(index * each, (index + 1) * each)];
  }

  /** Which pixel of the grid has a data pixel. */
  private index(y: number, x: number): number {
    const [rows, columns] = this.grid;
    const [ny, nx] = this.frame?.shape ?? [0, 0];
    const factor = Math.max(Math.ceil(ny / rows), Math.ceil(nx / columns));
    return Math.floor(y / factor) * columns + Math.floor(x / factor);
  }

  /** Whether each data pixel of a part is in, as one byte; null where all of the image is. */
  covers([top, left, height, width]: Rect): Uint8Array | null {
    const { frame, coverage } = this;
    if (!frame || !coverage || this.kind === "sig") return null;
    const [rows, columns] = frame.grid;
    const factor = Math.max(Math.ceil(frame.shape[0] / rows), Math.ceil(frame.shape[1] / columns));
    return Uint8Array.from({ length: height * width }, (_, i) => {
      const y = Math.floor((top + Math.floor(i / width)) / factor);
      return coverage[y * columns + Math.floor((left + (i % width)) / factor)];
    });
  }

  /** Drop what has faded away; true if anything still glows. */
  fade(): boolean {
    const oldest = this.now() - FLASH_MILLISECONDS;
    this.flashes = this.flashes.filter((flash) => flash.at > oldest);
    return this.flashes.length > 0;
  }

  /** Take in the tint of the pixels that have come. */
  private takeTint(news: Tint | null): void {
    const { frame } = this;
    if (!frame || (frame as Partial<ImageFrame>).colours !== this.coloured) this.tint = null;
    this.coloured = frame?.colours ?? "map";
    if (!frame || !news) return;
    const each = depth(news);
    const length = this.codes.length * each;
    if (this.tint?.length !== length || depth(this.tint) !== each) {
      this.tint = each === 1 ? new Uint16Array(length) : new Uint8Array(length);
    }
    patch(this.tint, frame.rect, news, frame.grid[1], each);
  }

  /** Take coverage in and return the rectangle in which it has changed. */
  private cover(bytes: DataView, fresh: boolean): Rect {
    if (this.kind === "sig") {
      this.coverage = Uint8Array.from({ length: bytes.byteLength }, (_, i) => bytes.getUint8(i));
      return NONE;
    }
    const before = this.coverage;
    // By turns: what a page throws away, a browser collects on all cores every 64 MB.
    this.coverage = readBits(bytes, this.codes.length, this.spare);
    this.spare = before;
    const [height, width] = this.grid;
    return before && !fresh ? this.flash(before, this.coverage) : [0, 0, height, width];
  }

  private flash(before: Uint8Array, after: Uint8Array): Rect {
    const [height, width] = this.grid;
    let [top, bottom, left, right] = [height, -1, width, -1];
    for (let i = 0; i < after.length; i++) {
      if (after[i] === before[i]) continue;
      const y = Math.floor(i / width);
      const x = i - y * width;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      if (x < left) left = x;
      if (x > right) right = x;
    }
    if (bottom < 0) return NONE;
    const rect: Rect = [top, left, bottom - top + 1, right - left + 1];
    const mask = new Uint8Array(rect[2] * rect[3]);
    for (let y = 0; y < rect[2]; y++) {
      const row = (top + y) * width + left;
      for (let x = 0; x < rect[3]; x++) mask[y * rect[3] + x] = after[row + x] & ~before[row + x];
    }
    this.flashes = [...this.flashes, { at: this.now(), rect, mask }].slice(-FLASHES);
    return rect;
  }

  private note(rect: Rect): void {
    this.changes.push({ revision: this.revision, rect });
    if (this.changes.length > 16) this.changes.shift();
  }
}

/** Numbers of a tint for each pixel: one direction, or three colours. */
function depth(tint: Tint): number {
  return tint instanceof Uint16Array ? 1 : 3;
}

function readTint(frame: ImageFrame, index: number | null, buffers: readonly DataView[]): Tint | null {
  if (index === null) return null;
  const { buffer, byteOffset, byteLength } = buffers[index];
  if (frame.colours === "wheel") return readCodes(buffers[index]);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
}

/** Put the numbers of a rectangle in their place; `each` of them belong to a pixel. */
function patch(
  all: Tint,
  [y, x, height, width]: Rect,
  news: Tint,
  stride: number,
  each = 1,
): void {
  if (width === stride) {
    all.set(news, y * stride * each);
    return;
  }
  for (let row = 0; row < height; row++) {
    const line = news.subarray(row * width * each, (row + 1) * width * each);
    all.set(line, ((y + row) * stride + x) * each);
  }
}
