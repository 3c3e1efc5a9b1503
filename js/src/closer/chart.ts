/** The profile along a ruler as a line, below its image, with its length, angle and width. */

import { iconButton, keepKeys, make, say } from "../page/dom";
import { short, shortPair } from "../page/format";
import { ticks } from "../picture/bar";
import type { Units } from "../page/settings";
import { scaleOf } from "./length";
import { angleOf, lengthOf, profileOf, type Read, type Ruler } from "./profile";

const HEIGHT = 96;
/** Room for the numbers beside the line and below it, in CSS pixels. */
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 14, 6, 16];
const FONT = "10px system-ui, sans-serif";
export const WIDEST = 1000;

interface Actions {
  setWidth(width: number): void;
  close(): void;
}

export class Chart {
  readonly element = make("div", { className: "udfw-profile" });
  private readonly canvas = make("canvas");
  private readonly length = make("output", { className: "udfw-length" });
  private readonly width = make("input", { label: "Width of the ruler in pixels" });
  /** Of the line in CSS pixels, as it was observed: to ask for it has the page laid out anew. */
  private across = 0;

  constructor(actions: Actions, signal: AbortSignal) {
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Ruler");
    this.canvas.setAttribute("role", "img");
    Object.assign(this.width, { type: "number", min: "1", max: String(WIDEST), step: "1" });
    keepKeys(this.width);
    const take = (): void => {
      const width = this.width.valueAsNumber;
      if (width >= 1 && width <= WIDEST) actions.setWidth(width);
    };
    this.width.addEventListener("input", take, { signal });
    const close = iconButton("close", "Measure no more (M)");
    close.addEventListener("click", () => actions.close(), { signal });
    const label = make("label", { text: "width" }, this.width);
    const row = make("div", { className: "udfw-measured" }, this.length, label, close);
    this.element.append(row, this.canvas);
  }

  /** Call back when there is another width to draw in, also that of none. */
  follow(changed: () => void, signal: AbortSignal): void {
    const sizes = new ResizeObserver(() => {
      this.across = this.canvas.clientWidth;
      changed();
    });
    sizes.observe(this.canvas);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  /** Show the values along a ruler, as they are now. */
  draw(ruler: Ruler, shape: readonly [number, number], units: Units, read: Read): void {
    const [size, unit] = scaleOf(ruler, units);
    const pixels = lengthOf(ruler);
    const inPixels = `${Number(pixels.toFixed(1))} px`;
    const inUnits = unit === "px" ? "" : ` = ${Number((pixels * size).toPrecision(4))} ${unit}`;
    const text = `${inPixels}${inUnits}, ${angleOf(ruler).toFixed(1)}°`;
    say(this.length, text);
    if (document.activeElement !== this.width) this.width.value = String(ruler.width);
    const { distances, values } = profileOf(ruler, shape, read);
    this.plot(distances.map((each) => each * size), values, unit);
  }

  private plot(distances: Float64Array, values: Float64Array, unit: string): void {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = this.across;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    const surface = canvas.getContext("2d");
    const known = values.filter(Number.isFinite);
    const [lo, hi] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [0, 0];
    const [low, high] = shortPair(lo, hi);
    const spoken = known.length > 0 ? `from ${low} to ${high}` : "nothing is merged there yet";
    canvas.setAttribute("aria-label", `Profile along the ruler, ${spoken}`);
    canvas.dataset.udfwPoints = String(known.length);
    if (!surface || width === 0 || known.length === 0) return;
    surface.scale(ratio, ratio);
    surface.font = FONT;
    const style = getComputedStyle(canvas);
    const [ink, line] = [style.color, style.getPropertyValue("--udfw-accent").trim()];
    const far = distances.at(-1) || 1;
    const more = hi > lo ? 0 : Math.abs(hi) / 2 || 1;
    const [from, to] = [lo - more, hi + more];
    const x = (at: number): number => LEFT + (at / far) * (width - LEFT - RIGHT);
    const y = (at: number): number => TOP + ((to - at) / (to - from)) * (HEIGHT - TOP - BOTTOM);
    surface.fillStyle = surface.strokeStyle = ink;
    surface.textBaseline = "middle";
    surface.textAlign = "right";
    surface.fillText(more ? short(hi) : high, LEFT - 6, more ? y(hi) : TOP + 4);
    if (!more) surface.fillText(low, LEFT - 6, HEIGHT - BOTTOM - 3);
    surface.textAlign = "center";
    const marks = ticks({ lo: 0, hi: far, log: false, gamma: 1 });
    for (const at of [0, ...marks]) {
      surface.fillRect(x(at) - 0.5, HEIGHT - BOTTOM, 1, 3);
      surface.fillText(short(Number(at.toPrecision(6))), x(at), HEIGHT - 6);
    }
    surface.textAlign = "right";
    surface.fillText(unit, width, HEIGHT - 6);
    surface.globalAlpha = 0.35;
    surface.strokeRect(LEFT - 0.5, TOP - 0.5, width - LEFT - RIGHT + 1, HEIGHT - TOP - BOTTOM + 1);
    surface.globalAlpha = 1;
    surface.strokeStyle = line;
    surface.lineWidth = 1.5;
    surface.lineJoin = "round";
    surface.beginPath();
    let isDown = false;
    values.forEach((value, i) => {
      if (Number.isNaN(value)) isDown = false;
      else if (isDown) surface.lineTo(x(distances[i]), y(value));
      else {
        surface.moveTo(x(distances[i]), y(value));
        // One that stands alone is a dot.
        surface.lineTo(x(distances[i]) + 0.5, y(value));
        isDown = true;
      }
    });
    surface.stroke();
  }
}
