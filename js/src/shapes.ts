/** The adapter to anywidget of the layer of shapes: gives a model its store, and views what they need. */

import type { Margin } from "./picture/view";
import { axesOf } from "./picture/scales";
import { dress } from "./page/style";
import type { Preset } from "./shapes/bench/presets";
import type { Units } from "./page/settings";
import css from "./shapes/shapes.css";
import { ShapesStore } from "./shapes/store";
import { showShapes } from "./shapes/view";
import { hubOf, type Model } from "./wire/jupyter";
import type { Hub } from "./wire/hub";
import type { Entry } from "./wire/protocol";
import { Sight } from "./wire/sight";

const LAYERS = Symbol.for("udfwidgets.layers");

interface Context {
  model: Model;
  signal?: AbortSignal;
}

/** What belongs to a model rather than to a view. */
interface Layer {
  hub: Hub;
  store: ShapesStore;
  sight: Sight;
}

function initialize({ model, signal }: Context): () => void {
  dress(document, "udfwidgets-shapes", css);
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const key = model.get<string>("_key");
  const hub = hubOf(model, ending.signal);
  const colours = model.get<string[]>("palette").length;
  const store = new ShapesStore(hub.page, colours, (number, strokes) =>
    hub.say({ type: "draw", key, number, strokes }),
  );
  store.restore(model.get<{ shapes?: Entry[] }>("_saved").shapes ?? []);
  const remove = hub.add(key, store, (life) => {
    if (life === "known") store.sayAgain();
  });
  const isClosed = (): boolean => model.widget_manager?.context?.isDisposed ?? true;
  const layer = { hub, store, sight: new Sight((view) => hub.see(key, view), isClosed) };
  layers().set(key, layer);
  ending.signal.addEventListener("abort", () => {
    remove();
    store.end();
    layer.sight.end();
    // A notebook that is opened again has put its own there.
    if (layers().get(key) === layer) layers().delete(key);
  });
  return () => ending.abort();
}

async function render({ model, el, signal }: Context & { el: HTMLElement }): Promise<() => void> {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const layer = layers().get(model.get<string>("_key"));
  el.classList.add("udfw-shapes-widget");
  if (layer) {
    const view = {};
    layer.sight.add(view);
    ending.signal.addEventListener("abort", () => layer.sight.remove(view));
    const shape = model.get<[number, number]>("shape");
    const axes = await axesOf(model, shape, ending.signal);
    if (!ending.signal.aborted) show(model, el, layer, axes, view, ending.signal);
  }
  return () => ending.abort();
}

function show(
  model: Model,
  element: HTMLElement,
  { store, sight }: Layer,
  axes: Awaited<ReturnType<typeof axesOf>>,
  view: object,
  signal: AbortSignal,
): void {
  const place = {
    element,
    store,
    axes,
    shape: model.get<[number, number]>("shape"),
    margin: model.get<Margin>("margin"),
    palette: model.get<string[]>("palette"),
    title: model.get<string>("title"),
    tools: () => model.get<string[]>("tools"),
    interaction: () => model.get<string>("_interaction"),
    presets: () => model.get<Preset[] | undefined>("presets") ?? [],
    why: () => model.get<string | undefined>("presets_why") ?? "",
    units: () => model.get<Units | undefined>("units") ?? [null, null],
    onChange: (callback: () => void) => {
      const events = "change:tools change:presets change:presets_why change:units";
      model.on(events, callback);
      signal.addEventListener("abort", () => model.off(events, callback));
    },
    visible: (within: boolean) => {
      if (!signal.aborted) sight.set(view, within);
    },
  };
  showShapes(place, signal);
}

/** Shared by all copies of this module in a page, as `initialize` and `render` may differ. */
function layers(): Map<string, Layer> {
  const page = globalThis as unknown as Record<symbol, Map<string, Layer> | undefined>;
  return (page[LAYERS] ??= new Map<string, Layer>());
}

export default { initialize, render };
