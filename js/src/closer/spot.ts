/** A mark where the pointer is on another image of the same axes. */

import { hide, make } from "../page/dom";
import type { Window } from "../picture/geometry";

/** Data coordinates: pixel (0, 0) lies between 0 and 1. */
export interface Spot {
  x: number;
  y: number;
}

export class Mark {
  readonly element = make("div", { className: "udfw-spot" });
  private at: Spot | null = null;

  constructor() {
    this.element.hidden = true;
  }

  show(at: Spot | null, window: Window): void {
    this.at = at;
    this.put(window);
  }

  /** Put it where it belongs in another window. */
  put({ x0, x1, y0, y1 }: Window): void {
    const { at, element } = this;
    const isSeen = at !== null && at.x >= x0 && at.x < x1 && at.y >= y0 && at.y < y1;
    hide(element, !isSeen);
    if (!isSeen) return;
    element.style.left = `${(100 * (at.x - x0)) / (x1 - x0)}%`;
    element.style.top = `${(100 * (at.y - y0)) / (y1 - y0)}%`;
  }
}
