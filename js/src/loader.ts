/**
 * What every widget carries to the browser: finds the module that draws it, which all widgets of a
 * kernel share, and loads it once for the page.
 *
 * With a copy of its own in each widget a page took twice as long to load them, and a saved notebook
 * held as many copies as it had widgets.
 */

import type { Model } from "./wire/jupyter";

interface Context {
  model: Model;
}

interface Drawing {
  initialize(context: Context): unknown;
  render(context: Context): unknown;
}

const MODULES = Symbol.for("udfwidgets.modules");

async function drawing({ model }: Context): Promise<Drawing> {
  if (!model.widget_manager) throw new Error("udfwidgets needs a widget manager to be drawn");
  const id = model.get<string>("_module").slice("IPY_MODEL_".length);
  const shared = await model.widget_manager.get_model(id);
  return load(shared.get("source") as string);
}

/** Load a module; the same text gives the same one. */
function load(source: string): Promise<Drawing> {
  const page = globalThis as unknown as Record<symbol, Map<string, Promise<Drawing>> | undefined>;
  const modules = (page[MODULES] ??= new Map<string, Promise<Drawing>>());
  let module = modules.get(source);
  if (!module) {
    module = imported(source);
    modules.set(source, module);
    module.catch(() => modules.delete(source));
  }
  return module;
}

async function imported(source: string): Promise<Drawing> {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return ((await import(address)) as { default: Drawing }).default;
  } finally {
    URL.revokeObjectURL(address);
  }
}

export default {
  initialize: async (context: Context): Promise<unknown> =>
    (await drawing(context)).initialize(context),
  render: async (context: Context): Promise<unknown> => (await drawing(context)).render(context),
};
