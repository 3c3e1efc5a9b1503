/** A line over an image to measure with: two ends and a middle to take hold of, by hand or by keys. */

import { hide, keepKeys, make } from "../page/dom";
import type { Axes } from "../page/settings";
import type { Window } from "../picture/geometry";
import type { Ruler } from "./profile";

const SVG = "http://www.w3.org/2000/svg";
const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const FAR = 10;
type Name = "begin" | "middle" | "end";
const LABELS = { begin: "Begin of the ruler", middle: "Move the ruler", end: "End of the ruler" };

interface Place {
  axes: Axes;
  /** (ny, nx). */
  shape: readonly [number, number];
  get(): Ruler | null;
  /** Show a ruler while the hand moves it. */
  move(ruler: Ruler): void;
  /** The hand has left it. */
  rest(): void;
}

/** Draws what the place has; `update` when that, or the window, is another one. */
export class RulerLayer {
  readonly element = make("div", { className: "udfw-ruler" });
  private readonly band: SVGElement;
  private readonly lines: readonly SVGElement[];
  private readonly handles = {} as Record<Name, HTMLElement>;

  constructor(
    private readonly place: Place,
    signal: AbortSignal,
  ) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("viewBox", "0 0 1 1");
    // As wide and as high as the plot, whatever that is.
    svg.setAttribute("preserveAspectRatio", "none");
    const part = (kind: string, className: string): SVGElement => {
      const element = document.createElementNS(SVG, kind);
      element.setAttribute("class", className);
      svg.append(element);
      return element;
    };
    this.band = part("polygon", "udfw-band");
    this.lines = [part("line", "udfw-seam"), part("line", "udfw-edge")];
    this.element.append(svg);
    for (const name of ["middle", "begin", "end"] as const) {
      this.handles[name] = this.handle(name, signal);
      this.element.append(this.handles[name]);
    }
  }

  private handle(name: Name, signal: AbortSignal): HTMLElement {
    const handle = make("button", { className: `udfw-end udfw-${name}`, label: LABELS[name] });
    handle.type = "button";
    keepKeys(handle);
    let last: { x: number; y: number } | null = null;
    const down = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      last = { x: event.clientX, y: event.clientY };
      event.preventDefault();
    };
    const move = (event: PointerEvent): void => {
      if (!last) return;
      const box = this.element.getBoundingClientRect();
      const { x0, x1, y0, y1 } = this.place.axes.get();
      const dx = ((event.clientX - last.x) / box.width) * (x1 - x0);
      const dy = ((event.clientY - last.y) / box.height) * (y1 - y0);
      last = { x: event.clientX, y: event.clientY };
      this.pull(name, dx, dy);
    };
    const up = (): void => {
      if (last) this.place.rest();
      last = null;
    };
    handle.addEventListener("pointerdown", down, { signal });
    handle.addEventListener("pointermove", move, { signal });
    for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, up, { signal });
    const press = (event: KeyboardEvent): void => {
      const step = STEPS[event.key] as readonly [number, number] | undefined;
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const by = event.shiftKey ? FAR : 1;
      this.pull(name, step[0] * by, step[1] * by);
      this.place.rest();
    };
    handle.addEventListener("keydown", press, { signal });
    return handle;
  }

  /** Put the focus on its end. */
  focus(): void {
    this.handles.end.focus({ preventScroll: true });
  }

  private pull(name: Name, dx: number, dy: number): void {
    const ruler = this.place.get();
    if (!ruler) return;
    const [ny, nx] = this.place.shape;
    const keep = (at: number, n: number): number => Math.min(Math.max(at, -0.5), n - 0.5);
    const moved = { ...ruler };
    if (name !== "end") [moved.x0, moved.y0] = [keep(ruler.x0 + dx, nx), keep(ruler.y0 + dy, ny)];
    if (name !== "begin") [moved.x1, moved.y1] = [keep(ruler.x1 + dx, nx), keep(ruler.y1 + dy, ny)];
    this.place.move(moved);
  }

  update(): void {
    const ruler = this.place.get();
    hide(this.element, ruler === null);
    if (!ruler) return;
    const window = this.place.axes.get();
    const begin = shares(ruler.x0, ruler.y0, window);
    const end = shares(ruler.x1, ruler.y1, window);
    for (const line of this.lines) {
      for (const [name, value] of Object.entries({ x1: begin[0], y1: begin[1], x2: end[0], y2: end[1] })) {
        line.setAttribute(name, String(value));
      }
    }
    this.band.setAttribute("points", corners(ruler, window));
    const middle = [(begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2] as const;
    for (const [name, at] of Object.entries({ begin, middle, end })) {
      const { style } = this.handles[name as Name];
      style.left = `${100 * at[0]}%`;
      style.top = `${100 * at[1]}%`;
      const isSeen = at.every((each) => each >= 0 && each <= 1);
      style.visibility = isSeen ? "" : "hidden";
    }
  }
}

/** Where the index of a pixel is, as shares of the window. */
function shares(x: number, y: number, { x0, x1, y0, y1 }: Window): readonly [number, number] {
  return [(x + 0.5 - x0) / (x1 - x0), (y + 0.5 - y0) / (y1 - y0)];
}

/** The band over which a profile is the mean. */
function corners({ x0, y0, x1, y1, width }: Ruler, window: Window): string {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (width <= 1 || length === 0) return "";
  const [ax, ay] = [(-(y1 - y0) / length) * (width / 2), ((x1 - x0) / length) * (width / 2)];
  return [
    [x0 + ax, y0 + ay],
    [x1 + ax, y1 + ay],
    [x1 - ax, y1 - ay],
    [x0 - ax, y0 - ay],
  ]
    .map(([x, y]) => shares(x, y, window).join())
    .join(" ");
}
