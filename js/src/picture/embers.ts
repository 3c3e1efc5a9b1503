/** What was merged last glows, and fades. */

import type { Box } from "./geometry";
import { FLASH_MILLISECONDS, type Flash } from "../wire/store";
import type { Rect } from "../wire/protocol";

/** How much the freshest one covers, of 1. */
const BRIGHT = 0.6;
/** Milliseconds in which a glow falls to 1/e: nothing is seen of it when it is dropped. */
const FALL = FLASH_MILLISECONDS / 4;

/**
 * All that glows is in one canvas as large as the picture, which fades as a whole: each flash is
 * scaled once, not in each frame of the page. That took a page without a graphics card half of its time.
 */
export class Embers {
  private canvas: OffscreenCanvas | null = null;
  private shown = new WeakSet<Flash>();
  private by = "";
  private at = 0;

  /**
   * Draw flashes over a picture.
   *
   * @param by - What tells where they are on the canvas: all are drawn anew when it changes.
   */
  draw(
    surface: CanvasRenderingContext2D,
    flashes: readonly Flash[],
    colour: string,
    spot: (rect: Rect) => Box,
    by: string,
    now: number,
  ): void {
    const { width, height } = surface.canvas;
    if (this.canvas?.width !== width || this.canvas.height !== height || by !== this.by) {
      this.canvas = new OffscreenCanvas(width, height);
      this.shown = new WeakSet();
    } else {
      fade(this.canvas, 1 - left(now - this.at));
    }
    [this.by, this.at] = [by, now];
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.imageSmoothingEnabled = false;
    for (const flash of flashes) {
      if (this.shown.has(flash)) continue;
      this.shown.add(flash);
      const { x, y, width: across, height: down } = spot(flash.rect);
      context.globalAlpha = BRIGHT * left(now - flash.at);
      context.drawImage(stencil(flash, colour), x, y, across, down);
    }
    surface.drawImage(this.canvas, 0, 0);
  }

  /** Keep no memory while nothing glows. */
  clear(): void {
    this.canvas = null;
  }
}

/** How much is left of a glow after some time, of 1. */
function left(milliseconds: number): number {
  return Math.exp(-Math.max(milliseconds, 0) / FALL);
}

function fade(canvas: OffscreenCanvas, share: number): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.globalCompositeOperation = "destination-out";
  context.globalAlpha = share;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}

/** Return the pixels of a flash in a colour. */
function stencil({ rect, mask }: Flash, colour: string): OffscreenCanvas {
  const [, , height, width] = rect;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < mask.length; i++) pixels[i] = mask[i] ? 0xffffffff : 0;
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return canvas;
}
