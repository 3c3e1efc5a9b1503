/** The adapter to anywidget: gives every model its store, and every view what it needs. */

import type { Hub, Life, Part, Receiver } from "./wire/hub";
import { hubOf, type Model } from "./wire/jupyter";
import { keeperOf, type ModelKeeper } from "./wire/keeper";
import type { CommandName, ImageFrame, StatusFrame } from "./wire/protocol";
import { axesOf, child } from "./picture/scales";
import type { Slices } from "./picture/slices";
import { Sight } from "./wire/sight";
import { StatusStore, showStatus } from "./card/status";
import { ImageStore } from "./wire/store";
import type { Units } from "./page/settings";
import closerCss from "./closer/closer.css";
import css from "./page/live.css";
import { dress } from "./page/style";
import { TotalsStore, showTotals } from "./card/totals";
import { showLine, showNumber, type LineModel } from "./picture/line";
import { showImage, type Margin } from "./picture/view";
import { dressAround, standAlone } from "./page/alone";
import { watchVisibility, whenAttached } from "./page/attached";
import { standBack } from "./page/still";

const LIVES = Symbol.for("udfwidgets.lives");

interface Context {
  model: Model;
  signal?: AbortSignal;
}

/** What belongs to a model rather than to a view. */
interface Live {
  hub: Hub;
  store: Store;
  settings: ModelKeeper;
  sight: Sight;
}

type Store = ImageStore | StatusStore | TotalsStore;

interface Saved {
  header?: ImageFrame | StatusFrame;
  buffers?: Record<string, string>;
}

function initialize({ model, signal }: Context): () => void {
  dress(document, "udfwidgets-style", css + closerCss);
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const key = model.get<string>("_key");
  const store = storeOf(model);
  restore(store, model.get<Saved>("_saved"));
  const hub = hubOf(model, ending.signal);
  const remove = hub.add(key, store, (life: Life) => {
    if (life === "lost" && !store.settled) fallBack(store, model.get<Saved>("_saved"));
    if (store instanceof StatusStore) store.life = life;
    store.paint();
  });
  // Where it cannot be found out, nothing is ever said to be deleted.
  const isClosed = (): boolean => model.widget_manager?.context?.isDisposed ?? true;
  const settings = keeperOf(model, ending.signal);
  const sight = new Sight((view) => hub.see(key, view), isClosed);
  const live = { hub, store, settings, sight };
  lives().set(key, live);
  ending.signal.addEventListener("abort", () => {
    remove();
    live.sight.end();
    // A notebook that is opened again has put its own there.
    if (lives().get(key) === live) lives().delete(key);
  });
  return () => ending.abort();
}

async function render({ model, el, signal }: Context & { el: HTMLElement }): Promise<() => void> {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const key = model.get<string>("_key");
  const live = lives().get(key);
  if (live) {
    standBack(el, ending.signal);
    dressAround(el, css + closerCss, ending.signal);
    const view = {};
    const visible = (within: boolean): void => {
      if (!ending.signal.aborted) live.sight.set(view, within);
    };
    live.sight.add(view);
    ending.signal.addEventListener("abort", () => live.sight.remove(view));
    if (live.store instanceof ImageStore) {
      const size = { ratio: model.get<number>("ratio"), margin: model.get<Margin>("margin") };
      standAlone(el, size, ending.signal);
    }
    if (live.store instanceof ImageStore && model.get("_kind") !== "image") {
      renderPlot(model, el, key, live.hub, live.store, ending.signal);
      watchVisibility(el, visible, ending.signal);
    } else if (live.store instanceof ImageStore) {
      await renderImage(model, el, key, live, live.store, visible, ending.signal);
    } else {
      if (live.store instanceof TotalsStore) showTotals(el, live.store, ending.signal);
      else renderStatus(model, el, key, live.hub, live.store, ending.signal);
      watchVisibility(el, visible, ending.signal);
    }
  }
  return () => ending.abort();
}

function renderStatus(
  model: Model,
  element: HTMLElement,
  key: string,
  hub: Hub,
  store: StatusStore,
  signal: AbortSignal,
): void {
  const place = {
    element,
    store,
    title: () => model.get<string>("title"),
    commands: () => model.get<string[]>("commands"),
    code: () => model.get<string | undefined>("code") ?? "",
    onChange: (callback: () => void) => {
      listen(model, "change:title change:commands change:code", callback, signal);
      // Its view takes note of it in its own time.
      listen(model, "comm_live_update", () => setTimeout(callback), signal);
    },
    command: (name: CommandName) => hub.say({ type: "command", key, name }),
    aim: (value: number | null) => hub.say({ type: "goal", key, value }),
    stops: () => model.get<boolean | undefined>("stops") ?? false,
  };
  showStatus(place, signal);
  whenAttached(
    element,
    () => {
      const card = element.closest<HTMLElement>(".udfw-analysis") ?? element;
      card.addEventListener("pointerdown", () => place.command("touch"), { signal });
    },
    signal,
  );
}

function storeOf(model: Model): Store {
  const kind = model.get<string>("_kind");
  if (["image", "line", "number"].includes(kind)) return new ImageStore(model.get("image_kind"));
  return kind === "totals" ? new TotalsStore() : new StatusStore();
}

/** What is no image: a line, which bqplot draws, or a number. */
function renderPlot(
  model: Model,
  element: HTMLElement,
  key: string,
  hub: Hub,
  store: ImageStore,
  signal: AbortSignal,
): void {
  const place = {
    element,
    store,
    title: () => model.get<string>("title"),
    text: () => model.get<string>("text"),
    margin: model.get<Margin>("margin"),
    ratio: model.get<number>("ratio"),
    width: () => model.get<number>("width"),
    slices: slicesOf(model, key, hub, store),
    onChange: (callback: () => void) =>
      listen(model, "change:title change:text change:width change:line", callback, signal),
    line: () => child(model, "line") as Promise<LineModel | null>,
  };
  if (model.get("_kind") === "line") showLine(place, signal);
  else showNumber(place, signal);
}

function slicesOf(model: Model, key: string, hub: Hub, store: ImageStore): Slices {
  return {
    axes: model.get<number[]>("slices"),
    name: model.get<string>("slice_name"),
    shown: () => store.frame?.slice ?? 0,
    connected: () => hub.connected,
    choose: (index) => hub.say({ type: "slice", key, index }),
  };
}

async function renderImage(
  model: Model,
  element: HTMLElement,
  key: string,
  { hub, settings }: Live,
  store: ImageStore,
  visible: (within: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const shape = model.get<[number, number]>("shape");
  const axes = await axesOf(model, shape, signal);
  if (signal.aborted) return;
  const place = {
    element,
    store,
    settings,
    axes,
    shape,
    margin: model.get<Margin>("margin"),
    ratio: model.get<number>("ratio"),
    slices: slicesOf(model, key, hub, store),
    components: {
      known: model.get<[string, string][] | undefined>("components") ?? [],
      connected: () => hub.connected,
      choose: (index: number) => hub.say({ type: "component", key, index }),
    },
    interaction: () => model.get<string>("_interaction"),
    name: model.get<string | undefined>("axes") || model.get<string>("image_kind"),
    units: () => model.get<Units | undefined>("units") ?? ([null, null] as const),
    transform: () => hub.say({ type: "command", key, name: "transform" }),
    look: (rect: ImageFrame["detail_rect"]) => hub.say({ type: "look", key, rect }),
    contrast: (limits: [number, number] | null, log: boolean) =>
      hub.say({ type: "contrast", key, limits, log }),
    visible,
  };
  showImage(place, signal);
  signal.addEventListener("abort", () => settings.now());
}

/** A model that came with a saved picture shows it, whether or not there is a kernel. */
function restore(store: Receiver, { header, buffers = {} }: Saved): void {
  if (!header) return;
  const views: DataView[] = [];
  const part: Record<string, unknown> = { ...header };
  for (const [name, text] of Object.entries(buffers)) {
    part[name] = views.length;
    views.push(new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
  }
  store.apply(part as unknown as Part, views);
}

/** Without its kernel a model shows the end of its run, if that was saved, and not what came before. */
function fallBack(store: Store, saved: Saved): void {
  const { header } = saved;
  const isOlder =
    store instanceof ImageStore &&
    (header as ImageFrame | undefined)?.generation !== (store.frame?.generation ?? 0);
  if (header && !(isOlder && store.frame)) restore(store, saved);
}

function listen(model: Model, event: string, callback: () => void, signal: AbortSignal): void {
  model.on(event, callback);
  signal.addEventListener("abort", () => model.off(event, callback));
}

/** Shared by all copies of this module in a page, as `initialize` and `render` may differ. */
function lives(): Map<string, Live> {
  const page = globalThis as unknown as Record<symbol, Map<string, Live> | undefined>;
  return (page[LIVES] ??= new Map<string, Live>());
}

export default { initialize, render };
