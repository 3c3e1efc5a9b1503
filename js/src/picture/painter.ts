/** Draws what an `ImageStore` holds on a plain canvas. */

import { drawArrows } from "./arrows";
import { palette, type Contrast } from "./colour";
import { Embers } from "./embers";
import { place, type Box, type Window } from "./geometry";
import type { ImageFrame, Rect } from "../wire/protocol";
import type { ImageStore, Tint } from "../wire/store";
import { hues, mixed } from "./wheel";
import { isStill, type Theme } from "../page/theme";

export interface Look {
  colormap: string;
  contrast: Contrast;
  overlay: boolean;
  arrows: boolean;
}

type Surface = CanvasRenderingContext2D;

/** CSS pixels between two lines of the hatch, and how thick they are. */
const HATCH = 7;
const HATCH_LINE = 1.25;
/** CSS pixels of the coverage strip of a sig image. */
const STRIP = 4;
/** How much an estimate shines through the hatch, of 255. */
const ESTIMATE = 180;
/** How much the answer of the run before shines through it, of 1. */
const PREVIOUS = 0.5;

export class Painter {
  private source: OffscreenCanvas | null = null;
  private colours: Uint32Array | null = null;
  /** Of the directions of a colour wheel, in all levels of brightness. */
  private hues: Uint32Array | null = null;
  private colouredBy = "";
  private painted = -1;
  private generation = 0;
  /** The last answer in grey, until the run that was started since has covered it. */
  private previous: OffscreenCanvas | null = null;
  private hatch: CanvasPattern | null = null;
  private hatchedBy = "";
  /** The part in full resolution in colours, and what it was coloured by. */
  private detail: OffscreenCanvas | null = null;
  private detailedBy = "";
  private readonly embers = new Embers();

  constructor(
    private readonly store: ImageStore,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Draw everything; true if it has to be drawn again soon because something fades. */
  draw(canvas: HTMLCanvasElement, window: Window, look: Look, theme: Theme, ratio: number): boolean {
    const surface = canvas.getContext("2d");
    const { frame } = this.store;
    if (!surface) return false;
    const [width, height] = [canvas.width, canvas.height];
    surface.clearRect(0, 0, width, height);
    if (!frame) {
      this.fillHatch(surface, { x: 0, y: 0, width, height }, theme, ratio);
      return false;
    }
    // To keep the answer before takes longer than all the rest: only where it will be seen.
    if (this.isCovered(frame)) this.previous = null;
    else if (frame.generation !== this.generation) this.retire();
    this.generation = frame.generation;
    this.refresh(look, theme);
    const [ny, nx] = frame.shape;
    const [rows, columns] = frame.grid;
    const factor = Math.max(Math.ceil(ny / rows), Math.ceil(nx / columns));
    const spot = (rect: Rect, unit: number): Box => {
      const [y, x, h, w] = rect.map((n) => n * unit) as Rect;
      return place({ x, y, width: w, height: h }, window, width, height);
    };
    surface.save();
    const whole = spot([0, 0, ny, nx], 1);
    clip(surface, whole);
    if (this.hidesUncovered(look)) this.fillHatch(surface, whole, theme, ratio);
    const grid = spot([0, 0, rows, columns], factor);
    if (this.previous) {
      surface.globalAlpha = PREVIOUS;
      drawPixels(surface, this.previous, grid);
      surface.globalAlpha = 1;
    }
    const hasPixels = this.store.kind === "nav" || !this.previous;
    if (this.source && hasPixels) drawPixels(surface, this.source, grid);
    if (this.store.detail && hasPixels) this.drawDetail(surface, look, spot(this.store.detail.rect, 1));
    const glowing = this.store.fade() && look.overlay && !isStill();
    if (glowing) {
      const where = JSON.stringify([window, frame.grid, theme.glow]);
      const at = (rect: Rect): Box => spot(rect, factor);
      this.embers.draw(surface, this.store.flashes, theme.glow, at, where, this.now());
    } else this.embers.clear();
    if (look.arrows) drawArrows(surface, this.store, window, look.contrast.hi, ratio);
    surface.restore();
    if (look.overlay && this.store.kind === "sig") this.drawStrip(surface, theme, ratio);
    return glowing;
  }

  private hidesUncovered(look: Look): boolean {
    const wanted = look.overlay || this.previous !== null;
    return wanted && this.store.kind === "nav" && this.store.coverage !== null;
  }

  /** Whether a run has left nothing to be seen of the one before it. */
  private isCovered({ fraction }: ImageFrame): boolean {
    return this.store.kind === "sig" ? fraction > 0 : fraction >= 1;
  }

  /** Keep what is on the screen, in grey, over what was kept before. */
  private retire(): void {
    const { source } = this;
    const pixels = source?.getContext("2d")?.getImageData(0, 0, source.width, source.height);
    if (!source || !pixels) return;
    desaturate(pixels.data);
    const grey = new OffscreenCanvas(source.width, source.height);
    grey.getContext("2d")?.putImageData(pixels, 0, 0);
    const kept = this.previous ?? new OffscreenCanvas(source.width, source.height);
    kept.getContext("2d")?.drawImage(grey, 0, 0);
    this.previous = kept;
  }

  /** Colour the pixels that have changed, or all of them if the colours have. */
  private refresh(look: Look, theme: Theme): void {
    const { store } = this;
    const { frame } = store;
    if (!frame) return;
    const [height, width] = frame.grid;
    const by = JSON.stringify([
      look,
      theme.missing,
      frame.lo,
      frame.hi,
      frame.curve,
      frame.colours,
      this.previous !== null,
    ]);
    let rect = store.changedSince(this.painted) ?? [0, 0, height, width];
    if (by !== this.colouredBy || !this.colours) {
      // With a hue from elsewhere, or no need of one, a code says how bright a pixel is.
      const colormap = this.store.tint ? "gray" : look.colormap;
      this.colours = palette(frame, look.contrast, colormap, theme.missing);
      this.hues = frame.colours === "wheel" ? hues(look.colormap) : null;
      this.colouredBy = by;
      rect = [0, 0, height, width];
    }
    if (!this.source || this.source.width !== width || this.source.height !== height) {
      this.source = new OffscreenCanvas(width, height);
      rect = [0, 0, height, width];
    }
    this.painted = store.revision;
    if (rect[2] === 0 || rect[3] === 0) return;
    const coverage = this.hidesUncovered(look) ? store.coverage : null;
    const hidden = frame.estimated && !this.previous ? (ESTIMATE << 24) | 0xffffff : 0;
    const pixels = this.coloured(store.codes, store.tint, width, rect, this.colours, coverage, hidden);
    this.source.getContext("2d")?.putImageData(pixels, rect[1], rect[0]);
  }

  private coloured(
    codes: Uint16Array,
    tint: Tint | null,
    stride: number,
    rect: Rect,
    colours: Uint32Array,
    coverage: Uint8Array | null,
    hidden: number,
  ): ImageData {
    if (!tint) return coloured(codes, stride, rect, colours, coverage, hidden);
    const pixels = mixed(codes, tint, stride, rect, colours, this.hues);
    hide(pixels, codes, stride, rect, coverage, hidden);
    return pixels;
  }

  private drawDetail(surface: Surface, look: Look, spot: Box): void {
    const hides = this.hidesUncovered(look);
    if (hides && (this.store.frame?.fraction ?? 0) < 1) return; // the grid knows what is in
    // While a hand moves the image nothing else changes: a million pixels are coloured once.
    const by = `${this.store.revision} ${String(hides)} ${this.colouredBy}`;
    if (!this.detail || by !== this.detailedBy) this.detail = this.colourDetail(hides);
    this.detailedBy = by;
    if (this.detail) drawPixels(surface, this.detail, spot);
  }

  private colourDetail(hides: boolean): OffscreenCanvas | null {
    const { detail } = this.store;
    if (!detail || !this.colours) return null;
    const [, , height, width] = detail.rect;
    const colours = hides ? this.colours.slice() : this.colours;
    if (hides) colours[0] = 0; // what lies below has the hatch where nothing came
    const source = new OffscreenCanvas(width, height);
    const rect: Rect = [0, 0, height, width];
    const coverage = hides ? this.store.covers(detail.rect) : null;
    const pixels = this.coloured(detail.codes, detail.tint, width, rect, colours, coverage, 0);
    source.getContext("2d")?.putImageData(pixels, 0, 0);
    return source;
  }

  /** Fill with diagonal lines that keep their distance on the screen at every zoom. */
  private fillHatch(surface: Surface, box: Box, theme: Theme, ratio: number): void {
    const by = `${theme.ground} ${theme.hatch} ${ratio}`;
    if (!this.hatch || by !== this.hatchedBy) {
      this.hatch = hatchPattern(surface, theme, ratio);
      this.hatchedBy = by;
    }
    if (this.hatch) surface.fillStyle = this.hatch;
    surface.fillRect(box.x, box.y, box.width, box.height);
  }

  /** Show in scan order, along the lower edge, which part of the scan is in. */
  private drawStrip(surface: Surface, theme: Theme, ratio: number): void {
    const { frame, coverage } = this.store;
    if (!frame || (frame.final && frame.fraction >= 1)) return;
    const { width, height } = surface.canvas;
    const thick = Math.round(STRIP * ratio);
    surface.fillStyle = theme.track;
    surface.fillRect(0, height - thick, width, thick);
    surface.fillStyle = theme.accent;
    if (!coverage) {
      surface.fillRect(0, height - thick, width * frame.fraction, thick);
      return;
    }
    coverage.forEach((share, i) => {
      if (share === 0) return;
      const x = Math.floor((i * width) / coverage.length);
      const end = Math.floor(((i + 1) * width) / coverage.length);
      surface.globalAlpha = 0.25 + (0.75 * share) / 255;
      surface.fillRect(x, height - thick, end - x, thick);
    });
    surface.globalAlpha = 1;
  }
}

/** Replace colours by their luminance (ITU-R BT.709). */
function desaturate(rgba: Uint8ClampedArray): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const grey = 0.2126 * rgba[i] + 0.7152 * rgba[i + 1] + 0.0722 * rgba[i + 2];
    rgba[i] = rgba[i + 1] = rgba[i + 2] = grey;
  }
}

/** What was coloured last, for all painters: to make one for each picture has megabytes collected. */
let sheet: ImageData | null = null;

/** Return pixels to be written over, and to be put on a canvas before anybody else asks for some. */
function paper(width: number, height: number): ImageData {
  if (sheet?.width !== width || sheet.height !== height) sheet = new ImageData(width, height);
  return sheet;
}

function coloured(
  codes: Uint16Array,
  stride: number,
  [top, left, height, width]: Rect,
  colours: Uint32Array,
  coverage: Uint8Array | null,
  hidden: number,
): ImageData {
  const image = paper(width, height);
  const out = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    const row = (top + y) * stride + left;
    const to = y * width;
    for (let x = 0; x < width; x++) {
      const colour = colours[codes[row + x]];
      const shown = coverage === null || coverage[row + x] === 1;
      out[to + x] = shown ? colour : codes[row + x] === 0 ? 0 : colour & hidden;
    }
  }
  return image;
}

/** Take away what is not merged yet, or let it shine through as an estimate. */
function hide(
  image: ImageData,
  codes: Uint16Array,
  stride: number,
  [top, left, height, width]: Rect,
  coverage: Uint8Array | null,
  hidden: number,
): void {
  if (coverage === null) return;
  const out = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    const row = (top + y) * stride + left;
    for (let x = 0; x < width; x++) {
      if (coverage[row + x] !== 1) out[y * width + x] &= codes[row + x] === 0 ? 0 : hidden;
    }
  }
}

function drawPixels(surface: Surface, source: OffscreenCanvas, box: Box): void {
  const magnified = box.width >= source.width && box.height >= source.height;
  surface.imageSmoothingEnabled = !magnified;
  surface.imageSmoothingQuality = "high";
  surface.drawImage(source, box.x, box.y, box.width, box.height);
}

function clip(surface: Surface, box: Box): void {
  surface.beginPath();
  surface.rect(box.x, box.y, box.width, box.height);
  surface.clip();
}

function hatchPattern(surface: Surface, theme: Theme, ratio: number): CanvasPattern | null {
  const side = Math.max(4, Math.round(HATCH * ratio));
  const tile = new OffscreenCanvas(side, side);
  const context = tile.getContext("2d");
  if (!context) return null;
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, side, side);
  context.strokeStyle = theme.hatch;
  context.lineWidth = HATCH_LINE * ratio;
  context.beginPath();
  // Three lines, so that the tile meets its neighbours at the corners.
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - 1, side + 1);
    context.lineTo(shift + side + 1, -1);
  }
  context.stroke();
  return surface.createPattern(tile, "repeat");
}
