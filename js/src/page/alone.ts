/** Widgets outside of what Jupyter puts around them: in a shadow of the page, and without a size. */

import { whenAttached } from "./attached";
import { dress } from "./style";

/** Width of an image that nothing else gives one, in CSS pixels. */
const WIDTH = 360;

interface Sized {
  ratio: number;
  margin: { top: number; bottom: number; left: number; right: number };
}

/** Have a view look as elsewhere where the style sheets of the page do not reach. */
export function dressAround(element: Element, css: string, signal: AbortSignal): void {
  const around = (): void => {
    const root = element.getRootNode();
    if (root instanceof ShadowRoot) dress(root, "udfwidgets-style", css);
  };
  whenAttached(element, around, signal);
}

/** Give an image its size where it is not in the box that Python has made for it. */
export function standAlone(element: HTMLElement, { ratio, margin }: Sized, signal: AbortSignal): void {
  const size = (): void => {
    if (element.closest(".udfw-image")) return;
    const inside = (WIDTH - margin.left - margin.right) * ratio;
    element.classList.add("udfw-image");
    element.style.width = `${WIDTH}px`;
    element.style.height = `${Math.round(inside) + margin.top + margin.bottom}px`;
  };
  whenAttached(element, size, signal);
}
