/**
 * The window of an image: what the scales of its figure span, once it has a figure.
 *
 * A figure comes after the first picture, because a page takes longer to make one. Until then the
 * window is kept here.
 */

import { isWhole, type Window } from "./geometry";
import type { BackboneModel, Model } from "../wire/jupyter";
import type { Axes } from "../page/settings";

/** A window that has rested this long is told to Python. */
const SETTLE = 300;
/** How long a picture waits for its scales, which may come from far away, or never. */
const PATIENCE = 1000;

interface Scales {
  x: BackboneModel;
  y: BackboneModel;
}

/** Return the window of an image of a shape, with the scales that there are already. */
export async function axesOf(
  model: Model,
  [ny, nx]: readonly [number, number],
  signal: AbortSignal,
): Promise<Axes> {
  let window: Window = { x0: 0, x1: nx, y0: 0, y1: ny };
  let scales: Scales | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const callbacks = new Set<() => void>();
  const changed = (): void => callbacks.forEach((callback) => callback());

  const show = (wanted: Window): void => {
    if (!scales) {
      window = wanted;
      changed();
      return;
    }
    const { x, y } = scales;
    // y grows downwards, so `min` is at the lower edge.
    x.set({ min: wanted.x0, max: wanted.x1 });
    y.set({ min: wanted.y1, max: wanted.y0 });
    clearTimeout(timer);
    timer = setTimeout(() => {
      x.save_changes();
      y.save_changes();
    }, SETTLE);
  };
  const read = ({ x, y }: Scales): void => {
    const number = (scale: BackboneModel, name: string, otherwise: number): number =>
      (scale.get(name) as number | null) ?? otherwise;
    window = {
      x0: number(x, "min", 0),
      x1: number(x, "max", nx),
      y0: number(y, "max", 0),
      y1: number(y, "min", ny),
    };
    changed();
  };
  const adopt = async (): Promise<void> => {
    const both = Promise.all([child(model, "scale_x"), child(model, "scale_y")]);
    const [x, y] = await both.catch(absent);
    if (!x || !y || scales || signal.aborted) return;
    const found = { x, y };
    const reread = (): void => read(found);
    for (const scale of [x, y]) {
      scale.on("change:min", reread);
      scale.on("change:max", reread);
      signal.addEventListener("abort", () => {
        scale.off("change:min", reread);
        scale.off("change:max", reread);
      });
    }
    scales = found;
    const isMoved = window.x0 !== 0 || window.x1 !== nx || window.y0 !== 0 || window.y1 !== ny;
    const before = window;
    read(found);
    // Where somebody has looked closer before there was a figure, that one shows the same.
    if (isMoved && isWhole(window, nx, ny)) show(before);
  };
  const adopted = (): void => void adopt();
  model.on("change:scale_y", adopted);
  signal.addEventListener("abort", () => model.off("change:scale_y", adopted));
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([adopt(), patience]);
  return {
    get: () => window,
    set: show,
    onChange: (callback, until) => {
      callbacks.add(callback);
      until.addEventListener("abort", () => callbacks.delete(callback));
    },
  };
}

/** Where bqplot cannot be loaded there are pictures without marks, which zoom all the same. */
function absent(error: unknown): [null, null] {
  console.warn("udfwidgets: bqplot cannot be loaded, pictures have no marks", error);
  return [null, null];
}

/** The model that a trait of another one refers to. */
export async function child(model: Model, name: string): Promise<BackboneModel | null> {
  const id = model.get<string | null>(name)?.slice("IPY_MODEL_".length);
  if (!id) return null;
  if (!model.widget_manager) throw new Error("udfwidgets needs a widget manager to find its axes");
  const found = await model.widget_manager.get_model(id);
  if (found.get("_view_name") === "ErrorWidgetView") throw new Error("its module cannot be loaded");
  return found;
}
