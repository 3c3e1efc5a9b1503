/** One view of an image: canvas, header and readout, kept up to date with its store. */

import { keepKeys, make } from "../page/dom";
import { value as spelt } from "../page/format";
import { isWhole, touched } from "./geometry";
import { interact } from "./interaction";
import { centred } from "./colour";
import { Painter, type Look } from "./painter";
import type { Rect } from "../wire/protocol";
import type { Axes, Keeper, Settings } from "../page/settings";
import { compose, download } from "./snapshot";
import type { ImageStore } from "../wire/store";
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
  interaction: () => string;
  /** Ask for a part in full resolution. */
  look: (rect: Rect | null) => void;
  /** Ask for codes that serve these limits, or those proposed for a scale. */
  contrast: (limits: [number, number] | null, log: boolean) => void;
  visible: (visible: boolean) => void;
}

/** After the last movement of a zoom, before full resolution is asked for. */
const SETTLE = 150;

export function showImage(place: Place, signal: AbortSignal): void {
  const { element, store, settings, axes, margin } = place;
  const [ny, nx] = place.shape;
  const canvas = make("canvas", { className: "udfw-canvas" });
  canvas.setAttribute("role", "img");
  const name = (): void =>
    canvas.setAttribute("aria-label", `${settings.get("title")}, ${ny} by ${nx} pixels`);
  name();
  settings.onChange(name, signal);
  const plot = make("div", { className: "udfw-plot" }, canvas);
  for (const side of ["top", "bottom", "left", "right"] as const) {
    plot.style[side] = `${margin[side]}px`;
  }
  const readout = make("div", { className: "udfw-readout" });
  readout.hidden = true;
  const shell = make("div", { className: "udfw-view" });
  const painter = new Painter(store);
  let theme: Theme | null = null;
  let pointer: { x: number; y: number } | null = null;
  let scheduled = false;
  let painted = 0;

  const limits = (): readonly [number, number] => {
    const own = settings.get("limits");
    if (!settings.get("auto") && own.length === 2) return [own[0], own[1]];
    const log = settings.get("log_scale");
    const proposed = (log ? store.frame?.limits_log : store.frame?.limits) ?? [0, 1];
    return centred(proposed, settings.get("colormap"));
  };
  const currentLook = (): Look => {
    const [lo, hi] = limits();
    const contrast = { lo, hi, log: settings.get("log_scale"), gamma: settings.get("gamma") };
    return { colormap: settings.get("colormap"), contrast, overlay: settings.get("overlay") };
  };

  const paint = (): void => {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(plot.clientWidth * ratio);
    const height = Math.round(plot.clientHeight * ratio);
    if (width === 0 || height === 0) return;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    theme ??= readTheme(shell);
    if (painter.draw(canvas, axes.get(), currentLook(), theme, ratio)) schedule();
    describe();
  };
  const describe = (): void => {
    const { frame } = store;
    canvas.dataset.udfwPainted = String(painted);
    canvas.dataset.udfwSequence = String(frame?.sequence ?? -1);
    canvas.dataset.udfwGeneration = String(frame?.generation ?? -1);
    canvas.dataset.udfwFraction = String(frame?.fraction ?? 0);
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
    const at = pointer && store.at(y, x);
    readout.hidden = !at;
    if (!at) return;
    const nothing = at.outside || store.settled ? "nothing here" : "not merged yet";
    const number = at.covered ? spelt(at.value, at.error) : nothing;
    readout.textContent = `y ${y} × ${x}: ${number}`;
  };

  const reset = (): void => axes.set({ x0: 0, x1: nx, y0: 0, y1: ny });
  const save = async (): Promise<void> => {
    const title = shell.querySelector<HTMLElement>(".udfw-title") ?? shell;
    const picture = await compose(root(), canvas, title, currentLook());
    download(picture, settings.get("title"));
  };
  const toolbar = new Toolbar(settings, { reset, save: () => void save(), limits }, store, signal);
  const slices = slider(place.slices, signal);
  shell.append(plot, toolbar.element, slices.element, readout);
  readout.style.left = `${margin.left + 6}px`;
  readout.style.bottom = `${margin.bottom + 10}px`;
  element.append(shell);
  signal.addEventListener("abort", () => shell.remove());

  const root = (): HTMLElement => element.closest<HTMLElement>(".udfw-image") ?? element;
  const news = (): void => {
    painted += 1;
    paint();
    toolbar.showLimits();
    slices.update();
    readValue();
  };
  store.views.add(news);
  signal.addEventListener("abort", () => store.views.delete(news));
  settings.onChange(schedule, signal);
  followContrast(place, signal);
  onThemeChange(() => {
    theme = null;
    toolbar.showLimits();
    schedule();
  }, signal);
  followDetail(place, schedule, signal);
  followSize(plot, schedule, signal);
  watchVisibility(shell, place.visible, signal);
  whenAttached(
    shell,
    () => {
      // For the style sheet, which makes an image narrower where there is less room.
      giveRoom(root(), place);
      const stage = {
        root: root(),
        plot,
        axes,
        shape: () => place.shape,
        interaction: place.interaction,
        hover: (at: { x: number; y: number } | null) => {
          pointer = at;
          readValue();
        },
        reset,
      };
      interact(stage, signal);
      focusable(stage.root, new Map([["h", () => toolbar.toggle()]]), signal);
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

/** Let an image have the focus, and take keys of its own then, which JupyterLab does not get. */
function focusable(root: HTMLElement, keys: ReadonlyMap<string, () => void>, signal: AbortSignal): void {
  root.tabIndex = 0;
  keepKeys(root);
  const press = (event: KeyboardEvent): void => {
    const { altKey, ctrlKey, metaKey, key, target } = event;
    const act = keys.get(key.toLowerCase());
    if (!act || altKey || ctrlKey || metaKey || (target as Element).closest("input, select")) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  root.addEventListener("keydown", press, { signal });
}

/** Tell the style sheet how high an image is, of its width, and how much comes above and below. */
export function giveRoom(root: HTMLElement, { ratio, margin }: Pick<Place, "ratio" | "margin">): void {
  root.style.setProperty("--udfw-ratio", String(ratio));
  root.style.setProperty("--udfw-beside", `${margin.top + margin.bottom}px`);
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
  settings.onChange(() => {
    const { limits, log } = chosen();
    const now = JSON.stringify({ limits, log });
    if (now !== before) contrast(limits, log);
    before = now;
  }, signal);
}

function followSize(element: Element, callback: () => void, signal: AbortSignal): void {
  const observer = new ResizeObserver(callback);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
