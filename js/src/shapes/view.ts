/** The layer over an image on which shapes are drawn, and the bar below: one view of a store. */

import { keepKeys, make } from "../page/dom";
import type { Axes, Units } from "../page/settings";
import { zoom, pan, isWhole } from "../picture/geometry";
import { watchVisibility, whenAttached } from "../page/attached";
import type { Margin } from "../picture/view";
import { Bar } from "./bar";
import type { Preset } from "./bench/presets";
import { centreOf, type Pair, type Position } from "./figures";
import { degreesOf, INSIDE } from "./grips";
import { Hand, type Hit, type Touch } from "./hand";
import { drawScene, Projection } from "./painter";
import type { ShapesStore } from "./store";

export interface Place {
  element: HTMLElement;
  store: ShapesStore;
  axes: Axes;
  /** (ny, nx). */
  shape: readonly [number, number];
  margin: Margin;
  palette: readonly string[];
  title: string;
  tools: () => readonly string[];
  /** Shapes that are there at one press, and why they are not. */
  presets: () => readonly Preset[];
  why: () => string;
  /** Size and unit of a pixel. */
  units: () => Units;
  /** What bqplot does with the pointer: nothing, its own zoom, or a selector. */
  interaction: () => string;
  onChange: (callback: () => void) => void;
  visible: (visible: boolean) => void;
}

/** How near is near enough, in CSS pixels: a finger covers what it points at. */
const REACH: Record<string, number> = { mouse: 6, pen: 9, touch: 18 };
/** Milliseconds for which numbers stay while a shape is moved. */
const READABLE = 100;
/** Share of the image that a shape takes which is clicked and not drawn. */
const SIZE = 1 / 8;
/** Things under the pointer that want it for themselves. */
const TAKEN = ".udfw-header, .udfw-panel, .udfw-bench, button, input";

export function showShapes(place: Place, signal: AbortSignal): void {
  const { element, store, axes, margin } = place;
  const canvas = make("canvas", { className: "udfw-drawing" });
  const plot = make("div", { className: "udfw-pad", label: `Shapes on ${place.title}` }, canvas);
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  keepKeys(plot);
  for (const side of ["top", "bottom", "left", "right"] as const) {
    plot.style[side] = `${margin[side]}px`;
  }
  const over = make("div", { className: "udfw-over" }, plot);
  // As they were observed: to ask the page in the middle of a change has it laid out once more.
  const size = { width: 0, height: 0 };
  const projection = (): Projection => new Projection(axes.get(), size.width, size.height);
  const [ny, nx] = place.shape;
  const hand = new Hand(store, () => {
    const { x0, x1, y0, y1 } = axes.get();
    return Math.max(1, Math.round(SIZE * Math.min(x1 - x0, y1 - y0)));
  });
  const focus = (): void => plot.focus({ preventScroll: true });
  const { palette, shape, tools, presets, why, units } = place;
  const desk = { store, hand, palette, shape, tools, presets, why, units, focus };
  const bar = new Bar(desk, signal);
  element.append(over, bar.element);
  let hovered: Hit | null = null;
  let painted = 0;

  const paint = (): void => {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [size.width, size.height].map((n) => Math.round(n * ratio));
    if (width === 0 || height === 0) return;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const { corners, next } = hand;
    const scene = {
      shapes: store.shapes,
      chosen: store.chosen,
      hovered: hovered?.name ?? null,
      corners: next ? [...corners, next] : corners,
      palette: place.palette,
    };
    drawScene(canvas, scene, projection(), ratio);
    painted += 1;
    canvas.dataset.udfwPainted = String(painted);
    const { x0, x1, y0, y1 } = axes.get();
    canvas.dataset.udfwWindow = [x0, x1, y0, y1].join();
  };
  const schedule = onceAFrame(paint, signal);
  let lately = 0;
  const news = (): void => {
    schedule();
    // Numbers that change lay the page out, and nobody reads sixty of them per second.
    const now = performance.now();
    if (hand.isBusy && now - lately < READABLE) return;
    lately = now;
    bar.update();
  };
  const told = (isChanged: boolean): void => {
    canvas.dataset.udfwUnheard = String(store.unheardCount);
    if (isChanged) news();
  };
  store.views.add(told);
  signal.addEventListener("abort", () => {
    store.views.delete(told);
    hand.cancel();
    over.remove();
    bar.element.remove();
  });
  place.onChange(news);
  axes.onChange(schedule, signal);
  const sizes = new ResizeObserver(() => {
    [size.width, size.height] = [plot.clientWidth, plot.clientHeight];
    schedule();
  });
  sizes.observe(plot);
  signal.addEventListener("abort", () => sizes.disconnect());
  watchVisibility(over, place.visible, signal);
  const hover = (hit: Hit | null): void => {
    if (hit?.name === hovered?.name && hit?.grip === hovered?.grip) return;
    hovered = hit;
    schedule();
  };
  const again = (): void => bar.names.renameChosen();
  followKeys(plot, hand, news, again, signal);
  const attached = (): void => {
    const root = element.closest<HTMLElement>(".udfw-image") ?? element;
    const field = { root, plot, hand, axes, nx, ny, projection, hover, focus, news };
    followPointer({ ...field, isFree: () => place.interaction() === "" }, signal);
  };
  whenAttached(over, attached, signal);
  news();
}

function onceAFrame(callback: () => void, signal: AbortSignal): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled || signal.aborted) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      if (!signal.aborted) callback();
    });
  };
}

function followKeys(
  plot: HTMLElement,
  hand: Hand,
  news: () => void,
  rename: () => void,
  signal: AbortSignal,
): void {
  const pressed = (event: KeyboardEvent): void => {
    const { key, shiftKey: shift, repeat, altKey } = event;
    const command = event.ctrlKey || event.metaKey;
    if (altKey) return;
    if (key === "F2") rename();
    else if (!hand.pressKey({ key, shift, command, repeat })) {
      if (key === "Escape") plot.blur();
      return;
    }
    // Neither the page is scrolled, nor does the notebook take it for its own.
    event.preventDefault();
    event.stopPropagation();
    news();
  };
  plot.addEventListener("keydown", pressed, { signal });
  // Who leaves in the middle of a drag, with another key or to another window, has left it there.
  plot.addEventListener("blur", () => hand.lift(), { signal });
}

interface Field {
  root: HTMLElement;
  plot: HTMLElement;
  hand: Hand;
  axes: Axes;
  nx: number;
  ny: number;
  projection: () => Projection;
  hover: (hit: Hit | null) => void;
  focus: () => void;
  news: () => void;
  /** Whether the pointer is nobody else's. */
  isFree: () => boolean;
}

function followPointer(field: Field, signal: AbortSignal): void {
  const { root, plot, hand, news } = field;
  const fingers = new Map<number, Position>();
  let pointer: number | null = null;
  let pressed: Position = { x: 0, y: 0 };
  let isZooming = false;
  /** Where the image is, as long as a hand holds something on it. */
  let held: DOMRect | null = null;
  const forget = (): void => {
    held = null;
  };
  document.addEventListener("scroll", forget, { signal, capture: true, passive: true });
  window.addEventListener("resize", forget, { signal });

  const at = (event: PointerEvent | MouseEvent): Touch => {
    const to = field.projection();
    const box = (held ??= plot.getBoundingClientRect());
    if (pointer === null) held = null;
    const reach = REACH["pointerType" in event ? event.pointerType : "mouse"] ?? REACH.mouse;
    return {
      x: to.indexX(((event.clientX - box.left) / box.width) * to.width),
      y: to.indexY(((event.clientY - box.top) / box.height) * to.height),
      reach: reach / to.scale,
      unit: 1 / to.scale,
      regular: event.shiftKey,
    };
  };
  const isWithin = (event: MouseEvent): boolean => {
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const isTaken = (event.target as Element).closest(TAKEN) !== null;
    return x >= 0 && y >= 0 && x < box.width && y < box.height && !isTaken && field.isFree();
  };

  const down = (event: PointerEvent): void => {
    pressed = { x: event.clientX, y: event.clientY };
    if (!isWithin(event) || event.button !== 0) return;
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.size === 2) {
        hand.cancel();
        pointer = null;
        isZooming = true;
      }
      if (fingers.size >= 2) {
        event.stopPropagation();
        return;
      }
    }
    if (pointer !== null || !hand.press(at(event))) return;
    pointer = event.pointerId;
    plot.setPointerCapture(pointer);
    field.focus();
    // The notebook would take the focus, and the image would be moved under the shape.
    event.preventDefault();
    event.stopPropagation();
    news();
  };
  const move = (event: PointerEvent): void => {
    if (isZooming && fingers.has(event.pointerId)) {
      pinch(field, fingers, event);
      event.stopPropagation();
      return;
    }
    if (event.pointerId === pointer) {
      // The image below need not say what is under the pointer, which lays the page out once more.
      event.stopPropagation();
      const between = event.getCoalescedEvents().map((each): Pair => {
        const { x, y } = at(each);
        return [x, y];
      });
      const to = at(event);
      hand.drag(to, between.length > 0 ? between : [[to.x, to.y]]);
    } else if (event.buttons === 0) {
      if (hand.corners.length > 0) hand.drag(at(event));
      point(field, isWithin(event) ? at(event) : null);
    }
  };
  const up = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (fingers.size < 2) isZooming = false;
    if (event.pointerId !== pointer) return;
    pointer = null;
    // What the system takes away, for a gesture of its own, was not meant.
    if (event.type === "pointercancel") hand.cancel();
    else hand.lift();
    news();
    point(field, isWithin(event) ? at(event) : null);
  };
  const listen = { signal, capture: true };
  root.addEventListener("pointerdown", down, listen);
  root.addEventListener("pointermove", move, listen);
  root.addEventListener("pointerleave", () => pointer === null && point(field, null), { signal });
  document.addEventListener("pointerup", up, listen);
  document.addEventListener("pointercancel", up, listen);

  // A finger scrolls the page, unless it holds a shape or there is something to be moved.
  const touched = (event: TouchEvent): void => {
    const isZoomed = !isWhole(field.axes.get(), field.nx, field.ny);
    const isOurs = pointer !== null || event.touches.length > 1 || isZoomed;
    const isInside = event.target instanceof Node && !(event.target as Element).closest(TAKEN);
    if (isOurs && isInside && field.isFree()) event.preventDefault();
  };
  root.addEventListener("touchstart", touched, { signal, capture: true, passive: false });
  // A double click shows the whole image, but not one on a shape, nor the end of a polygon.
  const twice = (event: MouseEvent): void => {
    if (isWithin(event) && (hand.tool !== null || hand.hitAt(at(event)))) event.stopPropagation();
  };
  root.addEventListener("dblclick", twice, listen);
  const clicked = (event: MouseEvent): void => {
    const isStill = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < REACH.mouse;
    const isNothing = isWithin(event) && hand.tool === null && !hand.hitAt(at(event));
    if (isNothing && isStill) hand.leave();
  };
  root.addEventListener("click", clicked, listen);
}

/** Two fingers zoom and move the image, so that what is between them stays there. */
function pinch(field: Field, fingers: Map<number, Position>, event: PointerEvent): void {
  const { plot, axes, nx, ny } = field;
  const before = [...fingers.values()];
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  const after = [...fingers.values()];
  const middle = ([a, b]: Position[]): Position => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const apart = ([a, b]: Position[]): number => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const box = plot.getBoundingClientRect();
  const [from, to] = [middle(before), middle(after)];
  const at = { x: (from.x - box.left) / box.width, y: (from.y - box.top) / box.height };
  const zoomed = zoom(axes.get(), apart(before) / apart(after), at, nx, ny);
  axes.set(pan(zoomed, (to.x - from.x) / box.width, (to.y - from.y) / box.height, nx, ny));
}

/** Show what a press would do here. */
function point({ root, hand, hover, plot }: Field, at: Touch | null): void {
  const hit = at && hand.tool === null ? hand.hitAt(at) : null;
  hover(hit);
  const cursor = at && hand.tool !== null ? "crosshair" : hit && at ? cursorOf(hand, hit, at) : "";
  root.classList.toggle("udfw-pointing", cursor !== "");
  root.style.setProperty("--udfw-cursor", cursor);
  plot.dataset.udfwGrip = hit ? `${hit.name} ${hit.grip}` : "";
}

const CURSORS = ["ew-resize", "nwse-resize", "ns-resize", "nesw-resize"];

function cursorOf(hand: Hand, { name, grip }: Hit, at: Touch): string {
  if (grip === INSIDE) return "move";
  if (/^p\d/.test(grip)) return "pointer";
  if (grip === "angle" || grip === "start" || grip === "stop") return "grab";
  const shape = hand.shapeOf(name);
  if (!shape) return "";
  const centre = centreOf(shape);
  // Across the rim: away from the centre.
  const eighth = Math.round(degreesOf(at.x - centre.x, at.y - centre.y) / 45);
  return CURSORS[((eighth % 4) + 4) % 4];
}
