/** The histogram of what is in of an image, and the limits and the gamma that are dragged on it. */

import { keepKeys, make } from "../page/dom";
import { shortPair } from "../page/format";
import type { Keeper, Settings } from "../page/settings";
import { decode } from "../wire/codec";
import type { ImageStore } from "../wire/store";
import { level, packed, place, table } from "./colour";

/** Bars, one of them two CSS pixels wide. */
const BARS = 112;
const HEIGHT = 56;
/** Of the strip of colours below the bars. */
const STRIP = 8;
/** What lies beyond is shown only where a limit lies beyond: one hot pixel is no reason. */
const SEEN = [0.1, 99.9] as const;
const STEPS = new Map([
  ["ArrowLeft", -0.01],
  ["ArrowDown", -0.01],
  ["ArrowRight", 0.01],
  ["ArrowUp", 0.01],
]);
const FEWEST = 0.05;
export const PERCENTILES = [
  [0, 100],
  [0.1, 99.9],
  [1, 99],
  [2, 98],
  [5, 95],
] as const;

type Range = readonly [number, number];

/** How often each code occurs among the pixels that are in. */
export class Counts {
  readonly total: number;
  private readonly codes = new Uint32Array(65536);

  constructor(private readonly store: ImageStore) {
    const { codes, coverage, kind } = store;
    const hidden = kind === "nav" ? coverage : null;
    for (let i = 0; i < codes.length; i++) {
      if (hidden === null || hidden[i] === 1) this.codes[codes[i]] += 1;
    }
    // Code 0 stands for no value, be it NaN or infinite.
    this.codes[0] = 0;
    this.total = this.codes.reduce((sum, count) => sum + count, 0);
  }

  /** The value below which a share of the pixels lies, in percent. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.ceil((percent / 100) * this.total));
    let seen = 0;
    for (let code = 1; code < this.codes.length; code++) {
      seen += this.codes[code];
      if (seen >= wanted) return this.value(code);
    }
    return NaN;
  }

  /** How many pixels there are in each of some parts of a range, of equal width on its scale. */
  bars([lo, hi]: Range, log: boolean, n = BARS): Float64Array<ArrayBuffer> {
    const bars = new Float64Array(n);
    for (let code = 1; code < this.codes.length; code++) {
      const count = this.codes[code];
      if (count === 0) continue;
      const value = this.value(code);
      if (value < lo || value > hi) continue;
      bars[Math.min(n - 1, Math.floor(place(value, lo, hi, log) * n))] += count;
    }
    return bars;
  }

  private value(code: number): number {
    const { frame } = this.store;
    return frame ? decode(code, frame) : NaN;
  }
}

/** Return the value at a place of a range, 0 to 1; the inverse of `place`. */
export function valueAt(t: number, [lo, hi]: Range, log: boolean): number {
  if (!log) return lo + t * (hi - lo);
  let [a, b] = [lo, hi];
  for (let i = 0; i < 60; i++) {
    const middle = a + (b - a) / 2;
    if (place(middle, lo, hi, log) < t) a = middle;
    else b = middle;
  }
  return a + (b - a) / 2;
}

/** Return the range to show: what most pixels have, the limits, and a little more. */
export function rangeOf(counts: Counts, [lo, hi]: Range): Range {
  const seen = counts.total > 0 ? SEEN.map((percent) => counts.percentile(percent)) : [lo, hi];
  const [low, high] = [Math.min(lo, seen[0]), Math.max(hi, seen[1])];
  const more = 0.04 * (high - low) || Math.abs(high) || 1;
  // On a logarithmic scale all would be another one if this came to lie below zero.
  return [low > 0 ? Math.max(low - more, low / 2) : low - more, high + more];
}

interface Actions {
  limits(): Range;
}

type Name = "low" | "middle" | "high";
const LABELS = { low: "Lower limit", middle: "Gamma", high: "Upper limit" } as const;

export class Histogram {
  readonly element = make("div", { className: "udfw-histogram" });
  private readonly canvas = make("canvas");
  private readonly handles = {} as Record<Name, HTMLElement>;
  private readonly choice = make("select", { label: "Percentiles to show" });
  private range: Range = [0, 1];
  private bars = new Float64Array(BARS);
  /** The values in the middle of parts of the range, by how many there are, and what they were of. */
  private readonly middles = new Map<number, Float64Array>();
  private middlesOf = "";
  private dragged: Name | null = null;
  /** As they were when the drag began: to ask again has the page laid out for each move. */
  private box = new DOMRect();
  private width = 0;
  private counted = -1;

  constructor(
    private readonly store: ImageStore,
    private readonly settings: Keeper<Settings>,
    private readonly actions: Actions,
    signal: AbortSignal,
  ) {
    const stage = make("div", { className: "udfw-bars" }, this.canvas);
    stage.style.height = `${HEIGHT + STRIP}px`;
    for (const name of ["low", "middle", "high"] as const) {
      const handle = make("div", { className: `udfw-handle udfw-${name}`, label: LABELS[name] });
      handle.tabIndex = 0;
      handle.setAttribute("role", "slider");
      keepKeys(handle);
      handle.addEventListener("keydown", (event) => this.key(event, name), { signal });
      this.handles[name] = handle;
      stage.append(handle);
    }
    const down = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      event.preventDefault();
      stage.setPointerCapture(event.pointerId);
      this.box = this.canvas.getBoundingClientRect();
      this.dragged = this.nearest(this.at(event), event.target as Element);
      this.handles[this.dragged].focus();
      this.move(this.dragged, this.at(event));
    };
    const up = (): void => {
      this.dragged = null;
      this.update();
    };
    stage.addEventListener("pointerdown", down, { signal });
    const drag = (event: PointerEvent): void => {
      if (!this.dragged) return;
      event.stopPropagation(); // the image below need not tell what lies there
      this.move(this.dragged, this.at(event));
    };
    stage.addEventListener("pointermove", drag, { signal });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, up, { signal });
    this.choice.append(make("option", { text: "Percentiles…" }));
    for (const [low, high] of PERCENTILES) {
      this.choice.append(make("option", { text: `${low} to ${high} %` }));
    }
    keepKeys(this.choice);
    this.choice.addEventListener("change", () => this.choose(), { signal });
    this.element.append(stage, this.choice);
  }

  /** Show what is in now; while a handle is dragged the range stays. */
  update(): void {
    const { store, settings } = this;
    const limits = this.actions.limits();
    if (this.counted !== store.revision || this.dragged === null) {
      const counts = new Counts(store);
      if (this.dragged === null) this.range = rangeOf(counts, limits);
      this.bars = counts.bars(this.range, settings.get("log_scale"));
      this.counted = store.revision;
    }
    this.put(limits);
    this.draw(limits);
  }

  private get log(): boolean {
    return this.settings.get("log_scale");
  }

  private placeOf(value: number): number {
    return place(value, ...this.range, this.log);
  }

  /** Put the handles where the settings are. */
  private put([lo, hi]: Range): void {
    const gamma = this.settings.get("gamma");
    const [low, high] = shortPair(lo, hi);
    const half = 0.5 ** (1 / gamma);
    const middle = valueAt(half, [lo, hi], this.log);
    const shown: Record<Name, [number, number, string]> = {
      low: [lo, this.placeOf(lo), low],
      middle: [gamma, this.placeOf(middle), gamma.toFixed(2)],
      high: [hi, this.placeOf(hi), high],
    };
    for (const [name, [now, at, text]] of Object.entries(shown)) {
      const handle = this.handles[name as Name];
      handle.style.left = `${100 * at}%`;
      handle.title = `${LABELS[name as Name]}: ${text}`;
      handle.setAttribute("aria-valuenow", String(now));
      handle.setAttribute("aria-valuetext", text);
    }
  }

  private draw([lo, hi]: Range): void {
    const { canvas, bars } = this;
    const ratio = devicePixelRatio || 1;
    if (this.dragged === null) this.width = canvas.clientWidth || 2 * BARS;
    const width = Math.round(this.width * ratio);
    const [tall, strip] = [Math.round(HEIGHT * ratio), Math.round(STRIP * ratio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== tall + strip) canvas.height = tall + strip;
    const surface = canvas.getContext("2d");
    if (!surface) return;
    surface.clearRect(0, 0, width, tall);
    const contrast = { lo, hi, log: this.log, gamma: this.settings.get("gamma") };
    // Where hues come from elsewhere, values are told by their brightness.
    const colours = table(this.store.tint ? "gray" : this.settings.get("colormap"));
    // A few bright pixels are to be seen beside thousands of dark ones.
    const highest = Math.log1p(Math.max(...bars));
    surface.fillStyle = getComputedStyle(this.element).color;
    const [inside, outside] = [new Path2D(), new Path2D()];
    this.values(bars.length).forEach((value, bar) => {
      if (bars[bar] === 0) return;
      const x = Math.round((bar * width) / bars.length);
      const end = Math.round(((bar + 1) * width) / bars.length);
      const high = Math.max(ratio, (Math.log1p(bars[bar]) / highest) * tall);
      const path = value >= lo && value <= hi ? inside : outside;
      path.rect(x, tall - high, end - x, high);
    });
    surface.globalAlpha = 0.75;
    surface.fill(inside);
    surface.globalAlpha = 0.3;
    surface.fill(outside);
    surface.globalAlpha = 1;
    const image = new ImageData(width, strip);
    const pixels = new Uint32Array(image.data.buffer);
    const values = this.values(width);
    for (let x = 0; x < width; x++) {
      const row = 3 * level(values[x], contrast);
      const colour = packed(colours[row], colours[row + 1], colours[row + 2]);
      for (let y = 0; y < strip; y++) pixels[y * width + x] = colour;
    }
    surface.putImageData(image, 0, tall);
  }

  /** The values in the middle of n parts of the range: while a handle is dragged they stay. */
  private values(n: number): Float64Array {
    const of = `${this.range.join()} ${String(this.log)}`;
    if (of !== this.middlesOf) this.middles.clear();
    this.middlesOf = of;
    let values = this.middles.get(n);
    if (!values) {
      values = Float64Array.from({ length: n }, (_, i) => valueAt((i + 0.5) / n, this.range, this.log));
      this.middles.set(n, values);
    }
    return values;
  }

  /** Where on the range an event is, 0 to 1. */
  private at(event: PointerEvent): number {
    const { left, width } = this.box;
    return Math.min(1, Math.max(0, (event.clientX - left) / width));
  }

  /** The handle that is meant: the one that was hit, or the closer limit. */
  private nearest(at: number, target: Element): Name {
    const hit = (["middle", "low", "high"] as const).find((name) => target === this.handles[name]);
    if (hit) return hit;
    const [lo, hi] = this.actions.limits().map((value) => this.placeOf(value));
    return Math.abs(at - lo) < Math.abs(at - hi) ? "low" : "high";
  }

  private move(name: Name, at: number): void {
    const [lo, hi] = this.actions.limits();
    const value = valueAt(at, this.range, this.log);
    if (name === "middle") {
      const share = place(value, lo, hi, this.log);
      const half = Math.min(1 - FEWEST, Math.max(FEWEST, share));
      this.settings.set({ gamma: Math.log(0.5) / Math.log(half) });
      return;
    }
    const apart = (this.range[1] - this.range[0]) / 1000;
    const limits = name === "low" ? [Math.min(value, hi - apart), hi] : [lo, Math.max(value, lo + apart)];
    this.settings.set({ limits, auto: false });
  }

  private key(event: KeyboardEvent, name: Name): void {
    const step = STEPS.get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const now = parseFloat(this.handles[name].style.left) / 100;
    this.move(name, now + step * (event.shiftKey ? 10 : 1));
  }

  private choose(): void {
    const chosen = this.choice.selectedIndex - 1;
    this.choice.selectedIndex = 0;
    const counts = new Counts(this.store);
    if (chosen < 0 || counts.total === 0) return;
    const [lo, hi] = PERCENTILES[chosen].map((percent) => counts.percentile(percent));
    // All of them may be the same.
    this.settings.set({ limits: [lo, hi > lo ? hi : lo + (Math.abs(lo) || 1)], auto: false });
  }
}
