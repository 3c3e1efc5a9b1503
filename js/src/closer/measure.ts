/** Measuring on one view of an image: its ruler, and the chart below that follows the run. */

import { hide } from "../page/dom";
import type { Axes, Keeper, Settings } from "../page/settings";
import type { ImageStore } from "../wire/store";
import { Chart } from "./chart";
import type { Units } from "../page/settings";
import { plainOf, rulerOf, type Ruler } from "./profile";
import { RulerLayer } from "./ruler";

export interface Subject {
  store: ImageStore;
  settings: Keeper<Settings>;
  axes: Axes;
  /** (ny, nx). */
  shape: readonly [number, number];
  units: () => Units;
}

export class Measure {
  readonly layer: RulerLayer;
  private root: HTMLElement | null = null;
  private readonly chart: Chart;
  /** While a hand moves it; what the model has comes after. */
  private held: Ruler | null = null;

  constructor(
    private readonly subject: Subject,
    signal: AbortSignal,
  ) {
    const { axes, shape } = subject;
    const place = {
      axes,
      shape,
      get: () => this.ruler,
      move: (ruler: Ruler) => {
        this.held = ruler;
        this.update();
      },
      rest: () => this.rest(),
    };
    this.layer = new RulerLayer(place, signal);
    const setWidth = (width: number): void => {
      const { ruler } = this;
      if (ruler) this.set({ ...ruler, width });
    };
    this.chart = new Chart({ setWidth, close: () => this.toggle() }, signal);
    axes.onChange(() => this.layer.update(), signal);
    subject.settings.onChange(() => this.update(), signal);
    signal.addEventListener("abort", () => this.chart.element.remove());
    this.layer.update();
  }

  /** Show the chart below the image. */
  attach(root: HTMLElement, signal: AbortSignal): void {
    this.root = root;
    root.append(this.chart.element);
    this.chart.follow(() => this.update(), signal);
    this.update();
  }

  get ruler(): Ruler | null {
    return this.held ?? rulerOf(this.subject.settings.get("ruler"));
  }

  get isOn(): boolean {
    return this.ruler !== null;
  }

  /** Put a ruler across the middle of what is shown, or take it away. */
  toggle(): void {
    if (this.isOn) {
      const isInside = this.root?.contains(document.activeElement);
      this.set(null);
      // Of what is hidden the focus goes to nothing, and keys with it.
      if (isInside) this.root?.focus({ preventScroll: true });
      return;
    }
    const { x0, x1, y0, y1 } = this.subject.axes.get();
    const y = (y0 + y1) / 2 - 0.5;
    const at = (share: number): number => x0 + share * (x1 - x0) - 0.5;
    this.set({ x0: at(0.25), y0: y, x1: at(0.75), y1: y, width: 1 });
    this.layer.focus();
  }

  private rest(): void {
    if (this.held) this.set(this.held);
  }

  private set(ruler: Ruler | null): void {
    this.held = null;
    // Hundredths of a pixel, which no hand can tell.
    const plain = ruler ? plainOf(ruler).map((each) => Math.round(each * 100) / 100) : [];
    this.subject.settings.set({ ruler: plain });
    this.update();
  }

  /** Show what is merged along it by now. */
  update(): void {
    const { ruler, chart, layer } = this;
    const { store, shape, units } = this.subject;
    layer.update();
    hide(chart.element, ruler === null);
    if (!ruler) return;
    const read = (y: number, x: number): number | null => {
      const at = store.at(y, x);
      return at?.covered ? at.value : null;
    };
    chart.draw(ruler, shape, units(), read);
  }
}
