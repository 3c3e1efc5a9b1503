/** The numbers of the shape that is chosen, in pixels or in the units of the image. */

import { hide, keepKeys, make } from "../../page/dom";
import type { Scale, Units } from "../../page/settings";
import { FIELDS, numberOf, refusalOf, toNumber, withNumber, type Shape } from "../figures";
import { countPixels } from "../pixels";
import { HINTS } from "../tools";
import type { Hand } from "../hand";
import type { ShapesStore } from "../store";
import { scaleOf, spelt, typed, wordOf } from "./units";

export interface FieldsPlace {
  store: ShapesStore;
  hand: Hand;
  shape: readonly [number, number];
  /** Which tools are offered. */
  tools: () => readonly string[];
  /** Size and unit of a pixel. */
  units: () => Units;
}

const FAR = 10;

/** The numbers of the shape that is chosen. */
export class Fields {
  readonly element = make("div", { className: "udfw-numbers" });
  private readonly inputs = new Map<string, HTMLInputElement>();
  private readonly list = make("div", { className: "udfw-fields" });
  /** How many pixels it has. */
  readonly count = make("span", { className: "udfw-count" });
  private readonly refusal = make("div", { className: "udfw-refusal" });
  /** Between pixels and units. */
  private readonly choice = make("button", { className: "udfw-unit" });
  private inUnits = true;
  private kind: string = "";
  private counted: Shape | null = null;

  constructor(
    private readonly desk: FieldsPlace,
    private readonly signal: AbortSignal,
  ) {
    this.refusal.setAttribute("role", "alert");
    this.refusal.hidden = true;
    this.choice.type = "button";
    keepKeys(this.choice);
    const change = (): void => {
      this.inUnits = !this.inUnits;
      this.kind = ""; // all of them anew
      this.update();
      this.choice.focus();
    };
    this.choice.addEventListener("click", change, { signal });
    this.element.append(this.list, this.refusal);
  }

  private get units(): Units {
    return this.inUnits ? this.desk.units() : [null, null];
  }

  private scale(shape: Shape, field: string): Scale {
    return scaleOf(shape, field, this.units);
  }

  private get shape(): Shape | null {
    const { store } = this.desk;
    return store.chosen === null ? null : (store.shapes.get(store.chosen)?.shape ?? null);
  }

  update(): void {
    const { shape } = this;
    const { store, hand, tools } = this.desk;
    const what = JSON.stringify([shape?.type, store.chosen, this.units]);
    const kind = shape ? what : (hand.tool ?? (tools().length > 0 ? "?" : ""));
    if (kind !== this.kind) this.make(kind, shape);
    hide(this.element, kind === "" && store.shapes.size === 0);
    if (!shape) return;
    if (shape !== this.counted && !this.list.contains(document.activeElement)) this.refuse("", "");
    for (const [field, input] of this.inputs) {
      if (document.activeElement !== input) this.fill(input, field); // nobody types in it
    }
    if (shape === this.counted) return;
    this.counted = shape;
    const count = countPixels(shape, this.desk.shape);
    const told = count === 0 ? "covers no pixel" : `${count.toLocaleString("en")} px`;
    // The same text lays the page out as well.
    if (told !== this.count.textContent) this.count.textContent = told;
    this.count.classList.toggle("udfw-empty", count === 0);
  }

  private make(kind: string, shape: Shape | null): void {
    const { hand } = this.desk;
    this.kind = kind;
    this.counted = null;
    this.count.textContent = "";
    this.inputs.clear();
    this.refuse("", "");
    const children: Node[] = [];
    if (shape) {
      for (const field of FIELDS[shape.type]) children.push(this.field(field));
      const word = wordOf(this.desk.units());
      this.choice.textContent = this.inUnits ? word : "px";
      this.choice.title = this.inUnits ? "Give numbers in pixels" : `Give numbers in ${word}`;
      if (word !== "") children.push(this.choice);
    } else {
      const hint = hand.tool ? HINTS[hand.tool] : kind === "" ? "" : "Choose what to draw, or a shape";
      children.push(make("span", { className: "udfw-hint", text: hint }));
    }
    this.list.replaceChildren(...children);
  }

  private field(name: string): HTMLElement {
    const input = make("input", { label: name });
    input.type = "text";
    input.inputMode = "decimal";
    input.spellcheck = false;
    keepKeys(input);
    const { signal } = this;
    input.addEventListener("change", () => this.take(name, input), { signal });
    input.addEventListener("keydown", (event) => this.key(event, name, input), { signal });
    this.inputs.set(name, input);
    return make("label", { text: name }, input);
  }

  private key(event: KeyboardEvent, name: string, input: HTMLInputElement): void {
    // JupyterLab keeps the browser from taking Enter for a change.
    if (event.key === "Enter") this.take(name, input);
    if (event.key === "Escape") {
      this.refuse("", "");
      this.fill(input, name);
    }
    const sign = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    const value = toNumber(input.value);
    const { shape } = this;
    if (sign === 0 || Number.isNaN(value) || !shape) return;
    event.preventDefault();
    // By pixels, whatever they are counted in.
    const scale = this.scale(shape, name);
    const next = typed(shape, name, input.value, scale);
    const by = sign * (event.shiftKey ? FAR : 1);
    input.value = spelt(withNumber(next, name, numberOf(next, name) + by), name, scale);
    this.take(name, input);
  }

  private fill(input: HTMLInputElement, field: string): void {
    const { shape } = this;
    if (!shape) return;
    const scale = this.scale(shape, field);
    const text = spelt(shape, field, scale);
    input.title = `${field} in ${scale[1]}`;
    const isRefused = input.getAttribute("aria-invalid") === "true";
    if (input.value !== text && !isRefused) input.value = text;
  }

  /** Take what was typed, or say why not; the shape stays as it is then. */
  private take(field: string, input: HTMLInputElement): void {
    const { store } = this.desk;
    const { shape } = this;
    if (!shape || store.chosen === null) return;
    const scale = this.scale(shape, field);
    const why = refusalOf(shape, field, input.value, scale[0]);
    this.refuse(field, why);
    if (why !== "") return;
    if (input.value === spelt(shape, field, scale)) return; // more digits than are shown stay
    store.set(store.chosen, typed(shape, field, input.value, scale));
  }

  private refuse(field: string, why: string): void {
    this.refusal.textContent = why;
    hide(this.refusal, why === "");
    for (const [name, input] of this.inputs) {
      input.setAttribute("aria-invalid", String(why !== "" && name === field));
    }
  }
}
