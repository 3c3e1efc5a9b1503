/** Shapes that are there at one press: those that Python offers, and a ring that is cut in parts. */

import { keepKeys, make } from "../../page/dom";
import type { Annulus, Disk, Sector, Shape } from "../figures";
import { countPixels } from "../pixels";
import type { ShapesStore } from "../store";

export type Preset = [name: string, shape: Shape | null];

export interface PresetsPlace {
  store: ShapesStore;
  shape: readonly [number, number];
  presets: () => readonly Preset[];
  /** Why there are none. */
  why: () => string;
  refuse: (why: string) => void;
  focus: () => void;
}

const FEWEST = 2;
const MOST = 16;

/** Cut a ring into equal parts, each pixel of it in one of them, as `geometry.sectors` does. */
export function sectors({ cx, cy, ri, ro }: Annulus, n: number): Sector[] {
  // The last one ends with the very number that the first one begins with.
  const edges = Array.from({ length: n }, (_, k) => (360 * k) / n);
  return edges.map((start, k) => ({
    ...{ type: "sector", cx, cy, ri, ro, start },
    stop: edges[k + 1] ?? 360,
  }));
}

/** Return names for parts of a shape, with which formulas can be written. */
export function namesOfParts(name: string, n: number): string[] {
  const base = /\d$/.test(name) ? `${name}_` : name;
  return Array.from({ length: n }, (_, k) => `${base}${k + 1}`);
}

export class Presets {
  readonly element = make("div", { className: "udfw-presets" });
  private readonly buttons = make("div", { className: "udfw-offered" });
  private readonly number = make("input", { label: "Number of sectors" });
  private offered = "";

  constructor(
    private readonly place: PresetsPlace,
    private readonly signal: AbortSignal,
  ) {
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "Detectors at the central disk");
    this.number.type = "number";
    this.number.min = String(FEWEST);
    this.number.max = String(MOST);
    this.number.value = "4";
    keepKeys(this.number);
    const cut = this.button("sectors", "Cut the chosen disk or ring into sectors, or else BF", () => this.cut());
    this.number.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Enter") this.cut();
      },
      { signal },
    );
    this.element.append(this.buttons, make("span", { className: "udfw-parts" }, this.number, cut));
  }

  update(): void {
    const presets = this.place.presets();
    this.element.hidden = presets.length === 0;
    const offered = JSON.stringify(presets.map(([name]) => name));
    if (offered === this.offered) return;
    this.offered = offered;
    const title = (name: string): string => `${name}: put it at the central disk`;
    this.buttons.replaceChildren(
      ...presets.map(([name]) => this.button(name, title(name), () => this.add(name))),
    );
  }

  private button(text: string, title: string, press: () => void): HTMLButtonElement {
    const each = make("button", { className: "udfw-preset", text, title });
    each.type = "button";
    keepKeys(each);
    each.addEventListener("click", press, { signal: this.signal });
    return each;
  }

  private add(name: string): void {
    const { presets, why, refuse } = this.place;
    const shape = presets().find(([each]) => each === name)?.[1];
    if (!shape) refuse(`${name}: ${why()}`);
    else this.set([[name, shape]]);
  }

  private cut(): void {
    const { refuse } = this.place;
    const n = Number(this.number.value);
    if (!Number.isInteger(n) || n < FEWEST || n > MOST) {
      refuse(`${this.number.value || "nothing"} sectors: choose ${FEWEST} to ${MOST}`);
      return;
    }
    const [name, ring] = this.ring();
    if (!ring) {
      refuse(`choose a disk or a ring to be cut: ${this.place.why()}`);
      return;
    }
    const names = namesOfParts(name, n);
    this.set(sectors(ring, n).map((sector, k) => [names[k], sector]));
  }

  /** The ring that is chosen; else the first one that is offered. */
  private ring(): [name: string, ring: Annulus | null] {
    const { store, presets } = this.place;
    const { chosen } = store;
    const shape = chosen === null ? undefined : store.shapes.get(chosen)?.shape;
    if (chosen !== null && (shape?.type === "disk" || shape?.type === "annulus")) return [chosen, ringOf(shape)];
    const [name, first] = presets()[0];
    return [name, first?.type === "disk" || first?.type === "annulus" ? ringOf(first) : null];
  }

  private set(shapes: [name: string, shape: Shape][]): void {
    const { store, refuse, focus } = this.place;
    const empty = shapes.find(([, shape]) => countPixels(shape, this.place.shape) === 0);
    if (empty) {
      refuse(`${empty[0]} would cover no pixel: it lies outside of the pattern, or is too small`);
      return;
    }
    refuse("");
    store.setAll(shapes);
    store.choose(shapes[0][0]);
    focus();
  }
}

function ringOf(shape: Disk | Annulus): Annulus {
  const { cx, cy } = shape;
  return shape.type === "annulus" ? shape : { type: "annulus", cx, cy, ri: 0, ro: shape.r };
}
