/** The drawings on the buttons for shapes: strokes on 16 x 16, in the colour of the text. */

import { drawing } from "../page/dom";

const ICONS = {
  point: "M8 1.5V5.5M8 10.5V14.5M1.5 8H5.5M10.5 8H14.5M8 7.5V8.5",
  disk: "M8 2.5A5.5 5.5 0 1 0 8 13.5A5.5 5.5 0 1 0 8 2.5",
  annulus: "M8 2A6 6 0 1 0 8 14A6 6 0 1 0 8 2M8 5.5A2.5 2.5 0 1 0 8 10.5A2.5 2.5 0 1 0 8 5.5",
  sector: "M5.2 7.6L2.4 4.2A8.2 8.2 0 0 1 13.6 4.2L10.8 7.6A4 4 0 0 0 5.2 7.6Z",
  rectangle: "M2.5 4H13.5V12H2.5Z",
  ellipse: "M8 4.2A6 3.8 0 1 0 8 11.8A6 3.8 0 1 0 8 4.2",
  polygon: "M8 2.2L13.8 6.8L11.4 13.4H4.2L2.2 6.4Z",
  lasso: "M4.5 13.5C7 12.5 5 10.8 4 9.6C2 7.2 3.2 2.8 8.2 2.8C12.6 2.8 14.2 5.4 13.4 7.8C12.6 10.2 8.4 11 4 9.6",
  brush: "M13.5 2.5L7.6 8.4M6.4 8.6A2.6 2.6 0 0 0 3.8 11.2C3.8 12.6 3 13.2 2.2 13.6C5.4 14.2 9 13.4 9 11.2A2.6 2.6 0 0 0 6.4 8.6",
  undo: "M5.5 3L2.5 6L5.5 9M2.5 6H9.5A4 4 0 0 1 9.5 13.5H6",
  remove: "M3 4.5H13M6 4.5V2.5H10V4.5M4.5 4.5L5.2 13.5H10.8L11.5 4.5",
} as const;

export function iconOf(name: keyof typeof ICONS): SVGSVGElement {
  return drawing(ICONS[name]);
}
