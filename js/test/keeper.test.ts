import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keeperOf, type ModelKeeper } from "../src/wire/keeper";
import type { Model } from "../src/wire/jupyter";
import { windowOf, type FakeWindow } from "./window";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A model that speaks of what differs, as Backbone does, and keeps what was saved. */
class Double {
  readonly told: Record<string, unknown>[] = [];
  readonly values: Record<string, unknown> = { gamma: 1, limits: [], auto: true, component: "magnitude" };
  private readonly listeners = new Map<string, Set<() => void>>();
  private unsaved: Record<string, unknown> = {};

  get(name: string): unknown {
    return this.values[name];
  }
  set(name: string, value: unknown): void {
    this.unsaved[name] = value;
    this.take(name, value);
  }
  /** What Python says. */
  take(name: string, value: unknown): void {
    if (JSON.stringify(this.values[name]) === JSON.stringify(value)) return;
    this.values[name] = value;
    for (const listener of [...(this.listeners.get(`change:${name}`) ?? [])]) listener();
  }
  save_changes(): void {
    this.told.push(this.unsaved);
    this.unsaved = {};
  }
  on(event: string, listener: () => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
  }
  off(event: string, listener: () => void): void {
    this.listeners.get(event)?.delete(listener);
  }
  get count(): number {
    return [...this.listeners.values()].reduce((sum, each) => sum + each.size, 0);
  }
}

interface Bench {
  model: Double;
  keeper: ModelKeeper;
  page: FakeWindow;
  ending: AbortController;
  seen: number[];
}

function bench(): Bench {
  const page = windowOf();
  const model = new Double();
  const ending = new AbortController();
  const keeper = keeperOf(model as unknown as Model, ending.signal);
  const seen: number[] = [];
  keeper.onChange(() => seen.push(keeper.get("gamma")), ending.signal);
  return { model, keeper, page, ending, seen };
}

test("an echo of what was told leaves alone what a hand has set since then, and nobody hears of it", () => {
  const { model, keeper, seen } = bench();
  keeper.set({ gamma: 1.1 });
  expect(model.told).toEqual([{ gamma: 1.1 }]);
  keeper.set({ gamma: 1.2 });
  model.take("gamma", 1.1);
  expect(keeper.get("gamma")).toBe(1.2);
  keeper.set({ gamma: 1.3 });
  model.take("gamma", 1.1);
  expect(seen).toEqual([1.1, 1.2, 1.3]);
  vi.runAllTimers();
  expect(model.told).toEqual([{ gamma: 1.1 }, { gamma: 1.3 }]);
});

test("so it is with limits, of which each message has another copy", () => {
  const { model, keeper } = bench();
  keeper.set({ limits: [0, 1], auto: false });
  keeper.set({ limits: [0, 2], auto: false });
  model.take("limits", [0, 1]);
  model.take("auto", false);
  expect([keeper.get("limits"), keeper.get("auto")]).toEqual([[0, 2], false]);
  vi.runAllTimers();
  expect(model.told.at(-1)).toEqual({ limits: [0, 2], auto: false });
});

test("what Python sets is heard of where no hand is at work", () => {
  const { model, keeper, seen } = bench();
  keeper.set({ gamma: 1.1 });
  vi.runAllTimers();
  model.take("gamma", 2);
  keeper.set({ limits: [0, 1] });
  keeper.set({ limits: [0, 2] });
  model.take("gamma", 3);
  expect(seen).toEqual([1.1, 2, 2, 2, 3]);
  expect(keeper.get("gamma")).toBe(3);
});

test.each(["pointerup", "pointercancel", "pagehide"])("the last of a drag is told with %s", (event) => {
  const { model, keeper, page } = bench();
  for (const gamma of [1.1, 1.2, 1.3]) keeper.set({ gamma });
  page.fire(event);
  expect(model.told).toEqual([{ gamma: 1.1 }, { gamma: 1.3 }]);
  vi.runAllTimers();
  expect(model.told.length).toBe(2);
});

test("a view that goes has the last of a drag told, and a model that goes leaves nothing behind", () => {
  const { model, keeper, page, ending } = bench();
  for (const gamma of [1.1, 1.2]) keeper.set({ gamma });
  keeper.now();
  expect(model.told.at(-1)).toEqual({ gamma: 1.2 });
  ending.abort();
  expect([model.count, page.count]).toEqual([0, 0]);
});
