/** The image as a file: our pixels and axes with bqplot's marks, and shapes, on top. */

import { drawBar, ROOM, type Bar } from "./bar";
import { drawKey, type Key } from "./components";
import type { ScaleBar } from "./scalebar";

/** What the style sheets of the page give to a drawing, and its file would lose. */
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "opacity",
  "display",
  "visibility",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "dominant-baseline",
  "shape-rendering",
] as const;

/** Between the pixels and the colour bar. */
const GAP = 12;

/**
 * Draw all of a widget on one canvas, with a colour bar or the key of its colours, in twice the
 * resolution of the screen.
 */
export async function compose(
  root: HTMLElement,
  canvas: HTMLCanvasElement,
  title: HTMLElement,
  bar: Bar | Key | null,
  scaleBar: ScaleBar,
): Promise<HTMLCanvasElement> {
  const frame = root.getBoundingClientRect();
  const scale = Math.max(2, devicePixelRatio);
  const out = document.createElement("canvas");
  out.width = Math.round((frame.width + ROOM) * scale);
  out.height = Math.round(frame.height * scale);
  const surface = out.getContext("2d");
  if (!surface) throw new Error("this browser gives no 2-D canvas to draw the file on");
  surface.scale(scale, scale);
  surface.fillStyle = backgroundOf(root);
  surface.fillRect(0, 0, frame.width + ROOM, frame.height);
  const draw = (source: CanvasImageSource, element: Element): void => {
    const box = element.getBoundingClientRect();
    surface.imageSmoothingEnabled = false;
    surface.drawImage(source, box.x - frame.x, box.y - frame.y, box.width, box.height);
  };
  draw(canvas, canvas);
  for (const svg of root.querySelectorAll<SVGSVGElement>(".udfw-edges, .bqplot svg")) {
    const box = svg.getBoundingClientRect();
    if (box.width > 0 && box.height > 0) draw(await rendered(svg), svg);
  }
  for (const drawing of root.querySelectorAll<HTMLCanvasElement>(".udfw-drawing")) {
    if (drawing.width > 0 && drawing.height > 0) draw(drawing, drawing);
  }
  const style = getComputedStyle(title);
  const box = title.getBoundingClientRect();
  surface.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  surface.fillStyle = style.color;
  surface.textBaseline = "middle";
  surface.fillText(title.textContent, box.x - frame.x, box.y - frame.y + box.height / 2);
  surface.font = `11px ${style.fontFamily}`;
  const pixels = canvas.getBoundingClientRect();
  const beside = [pixels.right - frame.x + GAP, pixels.y - frame.y] as const;
  if (bar && "contrast" in bar) drawBar(surface, bar, beside, pixels.height);
  else if (bar) drawKey(surface, bar, beside);
  scaleBar.draw(surface, frame);
  return out;
}

/** Return a canvas as a PNG. */
export function encoded(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const take = (blob: Blob | null): void =>
      blob ? resolve(blob) : reject(new Error("the browser makes no PNG of a canvas of this size"));
    canvas.toBlob(take);
  });
}

/** Offer a picture to be saved. */
export function download(picture: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture);
  link.download = `${name.replace(/[^\p{L}\p{N}]+/gu, "-") || "image"}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function rendered(svg: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [svg, ...svg.querySelectorAll<SVGElement>("*")];
  const to = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of STYLES) to[i].style.setProperty(name, style.getPropertyValue(name));
  });
  const box = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(box.width));
  copy.setAttribute("height", String(box.height));
  const image = new Image(box.width, box.height);
  const text = new XMLSerializer().serializeToString(copy);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  return image;
}

function backgroundOf(element: Element): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour !== "transparent" && !/, 0\)$/.test(colour)) return colour;
  }
  return "#ffffff";
}
