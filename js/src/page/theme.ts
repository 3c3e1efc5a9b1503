/** The colours of the page around us, as numbers that a canvas can use. */

import type { Rgb } from "../picture/colour";

export interface Theme {
  /** Where a merged pixel has no value. */
  missing: Rgb;
  /** Where the scan has not been yet: ground and lines of the hatch. */
  ground: string;
  hatch: string;
  glow: string;
  track: string;
  accent: string;
}

/** Read the theme that applies to an element; `style.css` derives it from JupyterLab's. */
export function readTheme(element: Element): Theme {
  const style = getComputedStyle(element);
  const read = (name: string, otherwise: string): string =>
    style.getPropertyValue(`--udfw-${name}`).trim() || otherwise;
  return {
    missing: toRgb(read("missing", "#9e9e9e")),
    ground: read("ground", "#eeeeee"),
    hatch: read("hatch", "#bdbdbd"),
    glow: read("glow", "#ffffff"),
    track: read("track", "#00000040"),
    accent: read("accent", "#1976d2"),
  };
}

/** Call back when the theme of the page may have changed. */
export function onThemeChange(callback: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(callback);
  const attributeFilter = ["class", "style", "data-jp-theme-name", "data-jp-theme-light"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter });
  }
  signal.addEventListener("abort", () => observer.disconnect());
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(query).addEventListener("change", callback, { signal });
  }
}

/** Whether a person has asked for nothing to move by itself. */
export function isStill(): boolean {
  return "matchMedia" in globalThis && matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function toRgb(colour: string): Rgb {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  if (!context) return [158, 158, 158];
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}
