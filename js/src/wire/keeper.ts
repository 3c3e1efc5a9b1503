/** The settings of an image, kept by its model: changed at once in the page, told to Python in time. */

import { hasten, paced } from "../page/paced";
import type { Keeper, Settings } from "../page/settings";
import type { Model } from "./jupyter";

/** Components that are directions. */
const ANGLES = ["phase", "direction"];
const SETTINGS = [
  "title",
  "colormap",
  "log_scale",
  "gamma",
  "auto",
  "limits",
  "overlay",
  "component",
  "arrows",
  "linked",
  "ruler",
  "units",
  "value_units",
  "width",
] as const;

export interface ModelKeeper extends Keeper<Settings> {
  /** Tell what still waits to be told. */
  now: () => void;
}

/** Return what all views of a model share, as long as it lives. */
export function keeperOf(model: Model, signal: AbortSignal): ModelKeeper {
  const callbacks = new Set<() => void>();
  /** What a hand has set, and Python has not been told yet. */
  let pending: Record<string, unknown> = {};
  let isRestoring = false;
  const tell = paced(() => {
    pending = {};
    model.save_changes();
  });
  hasten(tell, signal);
  const heard = (name: string): void => {
    if (isRestoring) return;
    // Python repeats whatever it is told, and the hand is ahead of that.
    if (name in pending && model.get(name) !== pending[name]) {
      isRestoring = true;
      try {
        model.set(name, pending[name]);
      } finally {
        isRestoring = false;
      }
    } else for (const callback of [...callbacks]) callback();
  };
  const events = SETTINGS.map((name) => [`change:${name}`, (): void => heard(name)] as const);
  for (const [event, changed] of events) model.on(event, changed);
  signal.addEventListener("abort", () => {
    for (const [event, changed] of events) model.off(event, changed);
  });
  return {
    // An angle has a unit of its own, whatever its vectors are counted in.
    get: (name) =>
      name === "value_units" && ANGLES.includes(model.get<string>("component"))
        ? ([[1, "rad"]] as never)
        : model.get(name),
    set: (values) => {
      Object.assign(pending, values);
      for (const [name, value] of Object.entries(values)) model.set(name, value);
      tell();
    },
    onChange: (callback, until) => {
      callbacks.add(callback);
      until.addEventListener("abort", () => callbacks.delete(callback));
    },
    now: tell.now,
  };
}
