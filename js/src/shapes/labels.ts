/** Names of shapes as they are written on images, each drawn once. */

const FONT = "600 11px system-ui, sans-serif";
export const LINE_HEIGHT = 13;
/** Around a text, for its seam. */
const SEAM = "rgb(0 0 0 / 70%)";
const SEAM_WIDTH = 3.5;
const PADDING = 4;
/** Names that are remembered; those of a few images. */
const KEPT = 100;

export interface Label {
  source: OffscreenCanvas;
  /** CSS pixels. */
  width: number;
}

const labels = new Map<string, Label>();

/**
 * Return a name in a colour, for a screen of so many device pixels per CSS pixel.
 *
 * To write on a canvas that is in a page lays the whole page out first, which took a seventh of a
 * processor while a hand moved a shape.
 */
export function labelOf(name: string, colour: string, ratio: number): Label {
  const key = JSON.stringify([name, colour, ratio]);
  const known = labels.get(key);
  if (known) return known;
  if (labels.size >= KEPT) labels.clear();
  const label = written(name, colour, ratio);
  labels.set(key, label);
  return label;
}

function written(name: string, colour: string, ratio: number): Label {
  const source = new OffscreenCanvas(1, 1);
  const surface = source.getContext("2d");
  if (!surface) return { source, width: 0 };
  surface.font = FONT;
  const { width } = surface.measureText(name);
  // Which forgets all that was set.
  source.width = Math.ceil((width + 2 * PADDING) * ratio);
  source.height = Math.ceil((LINE_HEIGHT + 2 * PADDING) * ratio);
  surface.scale(ratio, ratio);
  surface.font = FONT;
  surface.textBaseline = "middle";
  surface.lineJoin = surface.lineCap = "round";
  const middle = PADDING + LINE_HEIGHT / 2;
  surface.strokeStyle = SEAM;
  surface.lineWidth = SEAM_WIDTH;
  surface.strokeText(name, PADDING, middle);
  surface.fillStyle = colour;
  surface.fillText(name, PADDING, middle);
  return { source, width };
}

/** Draw a label around its middle, in CSS pixels. */
export function drawLabel(
  surface: CanvasRenderingContext2D,
  { source, width }: Label,
  [x, y]: readonly [number, number],
  ratio: number,
): void {
  // On whole device pixels, or the letters blur.
  const left = Math.round((x - width / 2 - PADDING) * ratio) / ratio;
  const top = Math.round((y - LINE_HEIGHT / 2 - PADDING) * ratio) / ratio;
  surface.drawImage(source, left, top, source.width / ratio, source.height / ratio);
}
