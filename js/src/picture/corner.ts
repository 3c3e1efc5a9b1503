/**
 * A corner to drag: images are as wide as a hand wants them, or else as there is room.
 *
 * All images of a card change together, and each model keeps its own width: views hear of it by an
 * event at the element that they are in.
 */

import { keepKeys, make } from "../page/dom";
import type { Keeper, Settings } from "../page/settings";

const EVENT = "udfw-width";
/** CSS pixels: of an image, and of one press of a key. */
const NARROWEST = 160;
const STEP = 24;

interface Wanted {
  width: number;
  /** Whether it is to stay so. */
  rests: boolean;
}

/** Tell the style sheet how wide an image is to be; 0 for as much as there is room. */
export function setWidth(root: HTMLElement, width: number): void {
  root.classList.toggle("udfw-sized", width > 0);
  root.style.setProperty("--udfw-own", `${width}px`);
}

/** Return the corner of an image, and have it follow what is dragged there and beside it. */
export function resizable(
  root: HTMLElement,
  settings: Keeper<Settings>,
  signal: AbortSignal,
): HTMLElement {
  const corner = make("button", { className: "udfw-corner", label: "Width of the images" });
  corner.type = "button";
  corner.title = "Drag to resize; double click for the room there is";
  keepKeys(corner);
  const place = root.parentElement ?? root;
  const follow = (): void => setWidth(root, settings.get("width"));
  const tell = (width: number, rests: boolean): void => {
    const most = place.clientWidth || width;
    const bounded = width === 0 ? 0 : Math.round(Math.min(Math.max(width, NARROWEST), most));
    place.dispatchEvent(new CustomEvent<Wanted>(EVENT, { detail: { width: bounded, rests } }));
  };
  const hear = (event: Event): void => {
    const { width, rests } = (event as CustomEvent<Wanted>).detail;
    setWidth(root, width);
    if (rests) settings.set({ width });
  };
  place.addEventListener(EVENT, hear, { signal });
  settings.onChange(follow, signal);
  follow();
  drag(corner, () => root.getBoundingClientRect().width, tell, signal);
  corner.addEventListener("dblclick", () => tell(0, true), { signal });
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowRight: STEP, ArrowDown: STEP, ArrowLeft: -STEP, ArrowUp: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tell(root.getBoundingClientRect().width + step, true);
  };
  corner.addEventListener("keydown", press, { signal });
  return corner;
}

function drag(
  corner: HTMLElement,
  widthNow: () => number,
  tell: (width: number, rests: boolean) => void,
  signal: AbortSignal,
): void {
  let from: { x: number; width: number } | null = null;
  let width = 0;
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    from = { x: event.clientX, width: widthNow() };
    width = 0;
    corner.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    // A click is no drag: two of them ask for all the room.
    if (!from || (width === 0 && Math.abs(event.clientX - from.x) < 3)) return;
    width = Math.max(1, from.width + event.clientX - from.x);
    tell(width, false);
  };
  const up = (): void => {
    if (from && width > 0) tell(width, true);
    from = null;
  };
  corner.addEventListener("pointerdown", down, { signal });
  corner.addEventListener("pointermove", move, { signal });
  corner.addEventListener("pointerup", up, { signal });
  corner.addEventListener("pointercancel", up, { signal });
}
