/** Making elements, and the drawings on our buttons. */

const SVG = "http://www.w3.org/2000/svg";

/** Icons of 16 x 16, drawn as strokes in the colour of the text. */
export const ICONS = {
  log: "M2.5 13.5V2.5M2.5 13.5H13.5M4 12C5.2 6.5 8 4.6 13.5 4",
  auto: "M8 2.5A5.5 5.5 0 1 0 8 13.5A5.5 5.5 0 1 0 8 2.5M8 2.5V13.5M8 4.5A3.5 3.5 0 0 1 8 11.5",
  overlay: "M2.5 2.5H13.5V13.5H2.5ZM2.5 8L8 2.5M2.5 13.5L13.5 2.5M8 13.5L13.5 8",
  arrows: "M2.5 13.5L8 8M8 8H4.8M8 8V11.2M8 6.5L13.5 2.5M13.5 2.5H10.4M13.5 2.5V5.4",
  history: "M2.8 8A5.2 5.2 0 1 0 4.4 4.2M4.6 1.8V4.5H7.3M8 5V8.2L10 9.8",
  play: "M4.5 2.8L12.5 8L4.5 13.2Z",
  difference: "M8 3V8M5.5 5.5H10.5M5.5 12H10.5",
  blink: "M1.8 8C4.5 3.6 11.5 3.6 14.2 8C11.5 12.4 4.5 12.4 1.8 8ZM8 6.2A1.8 1.8 0 1 0 8 9.8A1.8 1.8 0 1 0 8 6.2",
  reset: "M2.5 6V2.5H6M10 2.5H13.5V6M13.5 10V13.5H10M6 13.5H2.5V10",
  pause: "M5.5 3V13M10.5 3V13",
  resume: "M4.5 2.8L12.5 8L4.5 13.2Z",
  restart: "M3 8A5 5 0 1 0 4.8 4.2M4.9 1.6V4.4H7.7",
  cancel: "M3.5 3.5H12.5V12.5H3.5Z",
  close: "M4 4L12 12M12 4L4 12",
  copy: "M5.5 5.5H13.5V13.5H5.5ZM3.5 10.5H2.5V2.5H10.5V3.5",
  more: "M7 2.5A4.5 4.5 0 1 0 7 11.5A4.5 4.5 0 1 0 7 2.5M10.2 10.2L13.7 13.7M7 5V9M5 7H9",
  save: "M8 2.5V10M4.8 7L8 10.2L11.2 7M2.5 11.5V13.5H13.5V11.5",
} as const;

interface Properties {
  className?: string;
  text?: string;
  title?: string;
  label?: string;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { className, text, title, label }: Properties = {},
  ...children: Node[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (title) element.title = title;
  if (label) element.setAttribute("aria-label", label);
  element.append(...children);
  return element;
}

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  return drawing(ICONS[name]);
}

/** A drawing of strokes on 16 x 16. */
export function drawing(strokes: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", strokes);
  svg.append(path);
  return svg;
}

/** A button with an icon; `toggle` says that it can stay pressed. */
export function iconButton(name: keyof typeof ICONS, label: string): HTMLButtonElement {
  const button = make("button", { className: `udfw-button udfw-${name}`, title: label, label });
  button.type = "button";
  button.append(icon(name));
  // On each: JupyterLab looks at the element that has the focus only.
  keepKeys(button);
  return button;
}

/** Keep JupyterLab from taking keys, such as Enter on a button, for shortcuts of its own. */
export function keepKeys(element: HTMLElement): void {
  element.dataset.lmSuppressShortcuts = "true";
}

// What is said once more has a page work out once more how it looks: in JupyterLab, with all its
// selectors, for a millisecond. So in what follows each picture, say nothing twice.

/** Show or hide an element. */
export function hide(element: HTMLElement, isHidden: boolean): void {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

/** Set the text of an element. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
