/** A scale bar over the pixels: a round length, where it is known how large a pixel is. */

import { make } from "../page/dom";
import { unitText } from "../page/format";
import type { Scale } from "../page/settings";
import type { Window } from "./geometry";

/** CSS pixels that it has at most, and of the width of the pixels. */
const LONGEST = 160;
const SHARE = 0.35;
/** Pixels narrower than this show nothing but themselves, in CSS pixels. */
const SMALLEST = 150;
/** Larger and smaller units, each a thousand of the one before it. */
const LENGTHS = ["pm", "nm", "µm", "mm", "m"];

export interface Length {
  /** Of the screen, in CSS pixels. */
  width: number;
  text: string;
}

/** Return the longest of 1, 2, 5, 10, ... that is not longer than some CSS pixels. */
export function lengthOf(perPixel: number, unit: string, most: number): Length {
  // A hair of room: 0.3 / 0.1 is less than 3.
  const room = perPixel * most * (1 + 1e-9);
  const power = 10 ** Math.floor(Math.log10(room));
  const step = [5, 2].find((each) => each * power <= room) ?? 1;
  const length = Number((step * power).toPrecision(6));
  return { width: length / perPixel, text: spelt(length, unit) };
}

/** Write a length in the unit that fits: 2000 nm are 2 µm. */
function spelt(length: number, unit: string): string {
  const [by, name] = larger(length, unit);
  return `${Number((length / by).toPrecision(6))} ${unitText(name)}`;
}

/** Return the largest unit of which a length has one or more, and how many of its own make one. */
export function larger(length: number, unit: string): Scale {
  let [by, place] = [1, LENGTHS.indexOf(unit)];
  while (place >= 0 && length / by >= 1000 && place + 1 < LENGTHS.length) {
    by *= 1000;
    place += 1;
  }
  return [by, place < 0 ? unit : LENGTHS[place]];
}

export class ScaleBar {
  readonly element = make("div", { className: "udfw-scalebar" });
  private readonly label = make("span");
  private readonly line = make("i");
  private shown = "";

  constructor() {
    this.element.append(this.label, this.line);
    this.element.hidden = true;
  }

  /** Show what fits to a window of data pixels on so many CSS pixels; nothing without a scale. */
  show({ x0, x1 }: Window, scale: Scale | null | undefined, width: number): void {
    const found = scale && width >= SMALLEST ? this.fit(scale, (x1 - x0) / width, width) : null;
    const now = found ? `${found.width.toFixed(2)} ${found.text}` : "";
    if (now === this.shown) return;
    this.shown = now;
    this.element.hidden = !found;
    if (!found) return;
    this.label.textContent = found.text;
    this.line.style.width = `${found.width}px`;
  }

  private fit([size, unit]: Scale, perPixel: number, width: number): Length {
    return lengthOf(size * perPixel, unit, Math.min(LONGEST, width * SHARE));
  }

  /** Draw it as it is shown, for a file, on a surface whose corner is at (x, y) of the page. */
  draw(surface: CanvasRenderingContext2D, { x, y }: { x: number; y: number }): void {
    if (this.element.hidden) return;
    const style = getComputedStyle(this.element);
    const fill = (element: Element, colour: string): DOMRect => {
      const box = element.getBoundingClientRect();
      surface.fillStyle = colour;
      surface.fillRect(box.x - x, box.y - y, box.width, box.height);
      return box;
    };
    const box = fill(this.element, style.backgroundColor);
    const line = fill(this.line, style.color);
    surface.font = `${style.fontSize} ${style.fontFamily}`;
    surface.textAlign = "center";
    surface.textBaseline = "middle";
    surface.fillText(this.label.textContent, box.x + box.width / 2 - x, (box.y + line.y) / 2 - y);
    surface.textAlign = "start";
  }
}
