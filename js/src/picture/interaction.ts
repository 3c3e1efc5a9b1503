/** Wheel, drag, double click and hover over an image, turned into a window and a position. */

import { isWhole, pan, zoom } from "./geometry";
import type { Axes } from "../page/settings";

export interface Stage {
  /** Everything of the widget, what lies over the pixels included. */
  root: HTMLElement;
  /** Where the pixels are. */
  plot: HTMLElement;
  axes: Axes;
  /** (ny, nx). */
  shape(): readonly [number, number];
  /** What bqplot does with the pointer: nothing, its own zoom, or a selector. */
  interaction(): string;
  /** The pointer is at these data coordinates, or has left. */
  hover(at: { x: number; y: number } | null): void;
  reset(): void;
}

const PER_NOTCH = 1.0015;
/** Things under the pointer that want it for themselves. */
const TAKEN = ".udfw-header, .udfw-tools, .udfw-panel, .mark, button, input";

export function interact(stage: Stage, signal: AbortSignal): void {
  const { root, axes } = stage;
  const share = (event: MouseEvent): { x: number; y: number } | null => {
    const box = stage.plot.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    return x >= 0 && x < 1 && y >= 0 && y < 1 ? { x, y } : null;
  };
  const taken = (event: Event): boolean => (event.target as Element).closest(TAKEN) !== null;

  const wheel = (event: WheelEvent): void => {
    const at = share(event);
    if (!at || stage.interaction() || taken(event)) return;
    const [ny, nx] = stage.shape();
    const window = axes.get();
    // A page can be scrolled past an image that shows all it has.
    if (event.deltaY > 0 && isWhole(window, nx, ny)) return;
    event.preventDefault();
    event.stopPropagation();
    const notches = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    axes.set(zoom(window, PER_NOTCH ** (event.deltaY * notches), at, nx, ny));
  };
  root.addEventListener("wheel", wheel, { signal, passive: false, capture: true });

  let dragged: { x: number; y: number } | null = null;
  const down = (event: PointerEvent): void => {
    const [ny, nx] = stage.shape();
    if (event.button !== 0 || stage.interaction() || taken(event)) return;
    if (!share(event) || isWhole(axes.get(), nx, ny)) return;
    dragged = { x: event.clientX, y: event.clientY };
    root.classList.add("udfw-dragging");
    event.preventDefault();
  };
  const move = (event: PointerEvent): void => {
    const at = share(event);
    const window = axes.get();
    if (dragged) {
      const box = stage.plot.getBoundingClientRect();
      const dx = (event.clientX - dragged.x) / box.width;
      const dy = (event.clientY - dragged.y) / box.height;
      dragged = { x: event.clientX, y: event.clientY };
      const [ny, nx] = stage.shape();
      axes.set(pan(window, dx, dy, nx, ny));
    }
    stage.hover(
      at && {
        x: window.x0 + at.x * (window.x1 - window.x0),
        y: window.y0 + at.y * (window.y1 - window.y0),
      },
    );
  };
  const up = (): void => {
    dragged = null;
    root.classList.remove("udfw-dragging");
  };
  root.addEventListener("pointerdown", down, { signal });
  root.addEventListener("pointermove", move, { signal });
  root.addEventListener("pointerleave", () => dragged || stage.hover(null), { signal });
  document.addEventListener("pointermove", (e) => dragged && move(e), { signal });
  document.addEventListener("pointerup", up, { signal });
  document.addEventListener("pointercancel", up, { signal });
  const twice = (event: MouseEvent): void => {
    if (share(event) && !stage.interaction() && !taken(event)) stage.reset();
  };
  root.addEventListener("dblclick", twice, { signal });
}
