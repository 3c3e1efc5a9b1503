/** One view of an image: canvas, header and readout, kept up to date with its store. */

import { Closer } from "../closer/closer";
import type { Units } from "../page/settings";
import { hide, make } from "../page/dom";
import { value as spelt } from "../page/format";
import { carried, isWhole, touched } from "./geometry";
import { interact } from "./interaction";
import { Replay } from "../history/replay";
import { resizable } from "./corner";
import { centred } from "./colour";
import { Edges } from "./edges";
import { Chooser, spelt as spelledTint, type Components } from "./components";
import { Painter, type Look } from "./painter";
import { placeText, sizeText, valueText } from "./readout";
import { ScaleBar } from "./scalebar";
import type { ImageFrame, Rect } from "../wire/protocol";
import type { Axes, Keeper, Settings } from "../page/settings";
import { copiedOf, type Copied } from "./numbers";
import { compose, download, encoded } from "./snapshot";
import type { ImageStore } from "../wire/store";
import { hasten, paced } from "../page/paced";
import { onThemeChange, readTheme, type Theme } from "../page/theme";
import { slider, type Slices } from "./slices";
import { Toolbar } from "./toolbar";
import { watchVisibility, whenAttached } from "../page/attached";

export interface Margin {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface Place {
  element: HTMLElement;
  store: ImageStore;
  settings: Keeper<Settings>;
  axes: Axes;
  shape: readonly [number, number];
  margin: Margin;
  /** Height of the pixels, of their width. */
  ratio: number;
  slices: Slices;
  components: Components;
  interaction: () => string;
  /** Ask for a part in full resolution. */
  look: (rect: Rect | null) => void;
  /** Ask for codes that serve these limits, or those proposed for a scale. */
  contrast: (limits: [number, number] | null, log: boolean) => void;
  visible: (visible: boolean) => void;
  /** What its axes are. */
  name: string;
  units: () => Units;
  transform: () => void;
}

/** Milliseconds after a picture before it is drawn again because something fades: not in each frame. */
const FADE = 40;
/** After the last movement of a zoom, before full resolution is asked for. */
const SETTLE = 150;

export function showImage(place: Place, signal: AbortSignal): void {
  const { element, store, settings, axes, margin } = place;
  const [ny, nx] = place.shape;
  const canvas = make("canvas", { className: "udfw-canvas" });
  canvas.setAttribute("role", "img");
  const name = (): void => {
    const label = `${settings.get("title")}, ${ny} by ${nx} pixels ${sizeText(settings.get("units"))}`;
    canvas.setAttribute("aria-label", label.trimEnd());
  };
  name();
  settings.onChange(name, signal);
  const bar = new ScaleBar();
  const edges = new Edges(margin);
  // Of a transform frequency 0 is in the middle.
  const origin = place.name === "fft" ? ([ny >> 1, nx >> 1] as const) : ([0, 0] as const);
  const plot = make("div", { className: "udfw-plot" }, canvas, bar.element);
  for (const side of ["top", "bottom", "left", "right"] as const) {
    plot.style[side] = `${margin[side]}px`;
  }
  const readout = make("div", { className: "udfw-readout" });
  const then = make("div", { className: "udfw-then" });
  readout.hidden = then.hidden = true;
  const shell = make("div", { className: "udfw-view" });
  const painter = new Painter(store);
  const replay = new Replay(store);
  let theme: Theme | null = null;
  let pointer: { x: number; y: number } | null = null;
  /** What was shown when the pointer was there. */
  let seen = axes.get();
  let scheduled = false;
  let fading: ReturnType<typeof setTimeout> | undefined;
  let painted = 0;
  // As it was observed: to ask the page in the middle of a change has it laid out once more.
  const size = { width: 0, height: 0 };

  const limits = (frame: ImageFrame | null = store.frame): readonly [number, number] => {
    const own = settings.get("limits");
    if (!settings.get("auto") && own.length === 2) return [own[0], own[1]];
    const log = settings.get("log_scale");
    const proposed = (log ? frame?.limits_log : frame?.limits) ?? [0, 1];
    return centred(proposed, settings.get("colormap"));
  };
  const currentLook = (frame: ImageFrame | null = store.frame): Look => {
    const [lo, hi] = limits(frame);
    const contrast = { lo, hi, log: settings.get("log_scale"), gamma: settings.get("gamma") };
    const { colormap, overlay, arrows } = lookOf(settings);
    return { colormap, contrast, overlay, arrows: arrows && chooser.isWheel };
  };

  const paint = (): void => {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(size.width * ratio);
    const height = Math.round(size.height * ratio);
    if (width === 0 || height === 0) return;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    theme ??= readTheme(shell);
    const isPast = replay.draw(canvas, axes.get(), currentLook, theme, ratio);
    if (then.hidden === isPast) readValue();
    hide(then, !isPast);
    if (isPast) then.textContent = `${Math.round(100 * (replay.share ?? 1))} % of the scan`;
    clearTimeout(fading);
    const fades = !isPast && painter.draw(canvas, axes.get(), currentLook(), theme, ratio);
    if (fades) fading = setTimeout(schedule, FADE);
    canvas.dataset.udfwFading = String(fades);
    bar.show(axes.get(), settings.get("units")[1], size.width);
    edges.show(axes.get(), settings.get("units"), origin, size);
    describe();
  };
  const describe = (): void => {
    const { frame } = store;
    canvas.dataset.udfwPainted = String(painted);
    canvas.dataset.udfwSequence = String(frame?.sequence ?? -1);
    canvas.dataset.udfwGeneration = String(frame?.generation ?? -1);
    canvas.dataset.udfwFraction = String(frame?.fraction ?? 0);
    canvas.dataset.udfwPast = String(replay.share ?? "");
    canvas.dataset.udfwState = !frame ? "waiting" : frame.final ? "final" : "live";
  };
  const schedule = (): void => {
    if (scheduled || signal.aborted) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      if (!signal.aborted) paint();
    });
  };
  const readValue = (): void => {
    const y = Math.floor(pointer?.y ?? -1);
    const x = Math.floor(pointer?.x ?? -1);
    // Of what was only small copies are here.
    const at = pointer && replay.share === null ? store.at(y, x) : null;
    hide(readout, !at);
    if (!at) return;
    const nothing = at.outside || store.settled ? "nothing here" : "not merged yet";
    const units = settings.get("value_units");
    const value = valueText(at.value, spelt(at.value, at.error), units);
    const tint = at.covered ? spelledTint(store, y, x) : "";
    const colours = tint !== "" && !chooser.isWheel;
    const number = colours ? tint : at.covered ? value : nothing;
    const where = placeText(y - origin[0], x - origin[1], settings.get("units"));
    readout.textContent = `${where}: ${number}` + (tint && !colours ? `, ${tint}` : "");
  };

  const chooser = new Chooser(place.components, settings, store, signal);
  const reset = (): void => axes.set({ x0: 0, x1: nx, y0: 0, y1: ny });
  const picture = async (): Promise<Blob> => {
    const title = shell.querySelector<HTMLElement>(".udfw-title") ?? shell;
    const unit = settings.get("value_units").at(0)?.[1] ?? "";
    const look = replay.look ?? currentLook();
    const isMap = !store.tint || replay.isDifference;
    const beside = isMap ? { ...look, unit } : chooser.beside(look.contrast.hi);
    return encoded(await compose(root(), canvas, title, beside, bar));
  };
  const save = async (): Promise<void> => download(await picture(), settings.get("title"));
  const numbers = (): Copied => copiedOf(store, replay, place.shape, axes.get());
  const point = (at: { x: number; y: number } | null): void => {
    pointer = at;
    seen = axes.get();
    readValue();
  };
  axes.onChange(() => {
    // It rests, and what it points at is another pixel.
    pointer = pointer && carried(pointer, seen, axes.get());
    seen = axes.get();
    readValue();
  }, signal);
  const more = (): void => closer.list();
  const copy = (): void => closer.copyPicture();
  const actions = { reset, save: () => void save(), copy, limits: () => limits(), more };
  const toolbar = new Toolbar(settings, actions, store, signal);
  const slices = slider(place.slices, signal);
  const row = make("div", { className: "udfw-second" }, chooser.element, slices.element);
  shell.append(plot, edges.element, toolbar.element, toolbar.tools, row, chooser.key, readout, then);
  toolbar.tools.style.top = `${margin.top}px`;
  toolbar.tools.style.right = `${margin.right + 4}px`;
  // In one place: of what was, no values are read.
  for (const { style } of [readout, then]) {
    style.left = `${margin.left + 6}px`;
    style.bottom = `${margin.bottom + 10}px`;
  }
  const title = (): string => settings.get("title");
  const press = toolbar.press.bind(toolbar);
  const panel = { toggle: () => toolbar.toggle(), isOpen: () => toolbar.isOpen };
  const closer = new Closer(
    {
      ...place,
      ...{ plot, shell, title, reset, press, panel, point, picture, numbers },
      replay,
    },
    signal,
  );
  element.append(shell);
  signal.addEventListener("abort", () => shell.remove());

  const root = (): HTMLElement => element.closest<HTMLElement>(".udfw-image") ?? element;
  const news = (): void => {
    painted += 1;
    paint();
    toolbar.showLimits();
    slices.update();
    chooser.update();
    closer.update();
    readValue();
  };
  store.views.add(news);
  signal.addEventListener("abort", () => {
    store.views.delete(news);
    clearTimeout(fading);
  });
  settings.onChange(schedule, signal);
  followContrast(place, signal);
  onThemeChange(() => {
    theme = null;
    toolbar.showLimits();
    schedule();
  }, signal);
  followDetail(place, schedule, signal);
  const sized = (): void => {
    [size.width, size.height] = [plot.clientWidth, plot.clientHeight];
    toolbar.resized();
    schedule();
  };
  followSize(plot, sized, signal);
  watchVisibility(shell, place.visible, signal);
  whenAttached(
    shell,
    () => {
      // For the style sheet, which makes an image narrower where there is less room.
      giveRoom(root(), place);
      shell.append(resizable(root(), settings, signal));
      const stage = {
        root: root(),
        plot,
        axes,
        shape: () => place.shape,
        interaction: place.interaction,
        hover: (at: { x: number; y: number } | null) => {
          point(at);
          closer.point(at);
        },
        reset,
      };
      interact(stage, signal);
      closer.attach(stage.root);
      replay.join(stage.root, schedule, signal);
      const zoomable = (): void => {
        const whole = isWhole(axes.get(), nx, ny);
        stage.root.classList.toggle("udfw-zoomed", !whole && !place.interaction());
      };
      axes.onChange(zoomable, signal);
      zoomable();
    },
    signal,
  );
  describe();
  schedule();
}

/** What a person has set that says how pixels look, besides the contrast. */
function lookOf(settings: Keeper<Settings>): Pick<Settings, "colormap" | "overlay" | "arrows"> {
  return {
    colormap: settings.get("colormap"),
    overlay: settings.get("overlay"),
    arrows: settings.get("arrows"),
  };
}

/** Tell the style sheet how high an image is, of its width, and how much comes around it. */
export function giveRoom(root: HTMLElement, { ratio, margin }: Pick<Place, "ratio" | "margin">): void {
  root.style.setProperty("--udfw-ratio", String(ratio));
  root.style.setProperty("--udfw-beside", `${margin.top + margin.bottom}px`);
  root.style.setProperty("--udfw-aside", `${margin.left + margin.right}px`);
}

/** Redraw when the window moves; once it rests, ask for what it shows in full resolution. */
function followDetail(place: Place, schedule: () => void, signal: AbortSignal): void {
  const [ny, nx] = place.shape;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = false;
  const ask = (): void => {
    const grid = place.store.grid;
    if (grid[0] === ny && grid[1] === nx) return;
    const window = place.axes.get();
    const whole = isWhole(window, nx, ny);
    if (whole && !asked) return;
    asked = !whole;
    place.look(whole ? null : touched(window, nx, ny));
  };
  // A page that is loaded again begins where the other one was.
  timer = setTimeout(ask, SETTLE);
  place.axes.onChange(() => {
    schedule();
    clearTimeout(timer);
    timer = setTimeout(ask, SETTLE);
  }, signal);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

/** Say which limits are chosen, not by way of the model alone: a kernel at work may not hear that. */
function followContrast({ settings, contrast }: Place, signal: AbortSignal): void {
  const chosen = (): { limits: [number, number] | null; log: boolean } => {
    const own = settings.get("limits");
    const limits = !settings.get("auto") && own.length === 2 ? own : null;
    return { limits: limits && [limits[0], limits[1]], log: settings.get("log_scale") };
  };
  let before = JSON.stringify(chosen());
  const tell = paced(() => {
    const { limits, log } = chosen();
    const now = JSON.stringify({ limits, log });
    if (now !== before) contrast(limits, log);
    before = now;
  });
  settings.onChange(tell, signal);
  hasten(tell, signal);
  signal.addEventListener("abort", () => tell.now());
}

function followSize(element: Element, callback: () => void, signal: AbortSignal): void {
  const observer = new ResizeObserver(callback);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
