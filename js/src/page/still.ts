/**
 * Hides the pictures that stand in for cards where widgets cannot be shown.
 *
 * They are in the same outputs, so that a page without a kernel, or without this very module, has
 * something to show. As long as a card is drawn there is nothing that they would have to stand for.
 */

import { whenAttached } from "./attached";

/** What holds the outputs of a cell: in Jupyter's front ends and pages, and in Colab. */
const OUTPUTS = ".jp-OutputArea, .output_area, #output-area";

const drawn = new WeakMap<Element, number>();

/** Take note that something is drawn until the signal aborts. */
export function standBack(element: Element, signal: AbortSignal): void {
  whenAttached(
    element,
    () => {
      const area = outermost(element);
      if (!area) return;
      count(area, 1);
      // In the next frame: what is drawn anew is gone for a moment.
      signal.addEventListener("abort", () => requestAnimationFrame(() => count(area, -1)));
    },
    signal,
  );
}

function count(area: Element, change: number): void {
  const now = (drawn.get(area) ?? 0) + change;
  drawn.set(area, now);
  area.classList.toggle("udfw-alive", now > 0);
}

function outermost(element: Element): Element | null {
  let found = element.closest(OUTPUTS);
  for (let next = found; next; next = next.parentElement?.closest(OUTPUTS) ?? null) found = next;
  return found;
}
