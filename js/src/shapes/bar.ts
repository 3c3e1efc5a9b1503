/** Below the image: tools to draw with, the names of the shapes, and the numbers of the chosen one. */

import { keepKeys, make } from "../page/dom";
import { FIELDS, KINDS, numberOf, refusalOf, toNumber, withNumber, type Kind, type Shape } from "./figures";
import type { Hand } from "./hand";
import { Names } from "./bench/names";
import { Presets, type Preset } from "./bench/presets";
import { iconOf } from "./icons";
import { countPixels } from "./pixels";
import type { ShapesStore } from "./store";
import { HINTS } from "./tools";

export interface Desk {
  store: ShapesStore;
  hand: Hand;
  palette: readonly string[];
  shape: readonly [number, number];
  /** Which tools are offered. */
  tools: () => readonly string[];
  /** What is there at one press, and why it is not. */
  presets: () => readonly Preset[];
  why: () => string;
  /** Have keys go to the shapes. */
  focus: () => void;
}

const FAR = 10;

export class Bar {
  readonly element = make("div", { className: "udfw-bench" });
  private readonly row = make("div", { className: "udfw-kinds" });
  private readonly refusal = make("div", { className: "udfw-refusal" });
  readonly names: Names;
  private readonly presets: Presets;
  private readonly buttons = new Map<Kind, HTMLButtonElement>();
  private readonly undo = button("undo", "Undo (Ctrl+Z)");
  private readonly remove = button("remove", "Delete (Del)");
  private readonly fields: Fields;
  private refused: string | null = null;

  constructor(
    private readonly desk: Desk,
    signal: AbortSignal,
  ) {
    const { hand, store } = desk;
    this.fields = new Fields(desk, signal);
    const refuse = (why: string): void => this.refuse(why);
    this.names = new Names({ ...desk, refuse }, signal);
    this.presets = new Presets({ ...desk, refuse }, signal);
    this.refusal.setAttribute("role", "alert");
    this.refusal.hidden = true;
    this.row.setAttribute("role", "toolbar");
    this.row.setAttribute("aria-label", "Draw a shape");
    for (const kind of KINDS) {
      const each = button(kind, `${capital(kind)}: ${HINTS[kind].toLowerCase()}`);
      each.addEventListener("click", () => this.choose(kind), { signal });
      this.buttons.set(kind, each);
      this.row.append(each);
    }
    this.undo.addEventListener("click", () => store.undo(), { signal });
    const removed = (): void => {
      if (store.chosen !== null) store.set(store.chosen, null);
    };
    this.remove.addEventListener("click", removed, { signal });
    const aside = make("div", { className: "udfw-aside" }, this.undo, this.remove);
    this.row.append(aside);
    const who = make("div", { className: "udfw-who" }, this.names.element, this.fields.count);
    this.element.append(this.row, this.presets.element, who, this.refusal, this.fields.element);
    const keys = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.target instanceof HTMLInputElement) return;
      hand.take(null);
      desk.focus();
    };
    this.element.addEventListener("keydown", keys, { signal });
    this.update();
  }

  private choose(kind: Kind): void {
    const { hand, focus } = this.desk;
    hand.take(hand.tool === kind ? null : kind);
    focus();
  }

  update(): void {
    const { hand, store, tools } = this.desk;
    const offered = tools();
    this.row.hidden = offered.length === 0;
    this.presets.update();
    this.element.hidden = this.row.hidden && this.presets.element.hidden && store.shapes.size === 0;
    for (const [kind, each] of this.buttons) {
      each.hidden = !offered.includes(kind);
      each.setAttribute("aria-pressed", String(hand.tool === kind));
    }
    this.undo.disabled = !store.canUndo;
    this.remove.disabled = store.chosen === null;
    this.names.update();
    this.fields.update();
    // Who has chosen something else has read it.
    if (store.chosen !== this.refused) this.refuse("");
  }

  /** Say why something is not done; nothing where it is. */
  private refuse(why: string): void {
    this.refusal.textContent = why;
    this.refusal.hidden = why === "";
    this.refused = this.desk.store.chosen;
  }
}

/** The numbers of the shape that is chosen. */
class Fields {
  readonly element = make("div", { className: "udfw-numbers" });
  private readonly inputs = new Map<string, HTMLInputElement>();
  private readonly list = make("div", { className: "udfw-fields" });
  /** How many pixels it has. */
  readonly count = make("span", { className: "udfw-count" });
  private readonly refusal = make("div", { className: "udfw-refusal" });
  private kind: string = "";
  private counted: Shape | null = null;

  constructor(
    private readonly desk: Desk,
    private readonly signal: AbortSignal,
  ) {
    this.refusal.setAttribute("role", "alert");
    this.refusal.hidden = true;
    this.element.append(this.list, this.refusal);
  }

  private get shape(): Shape | null {
    const { store } = this.desk;
    return store.chosen === null ? null : (store.shapes.get(store.chosen)?.shape ?? null);
  }

  update(): void {
    const { shape } = this;
    const { store, hand, tools } = this.desk;
    const kind = shape ? `${shape.type} ${store.chosen ?? ""}` : (hand.tool ?? (tools().length > 0 ? "?" : ""));
    if (kind !== this.kind) this.make(kind, shape);
    this.element.hidden = kind === "" && store.shapes.size === 0;
    if (!shape) return;
    if (shape !== this.counted && !this.list.contains(document.activeElement)) this.refuse("", "");
    for (const [field, input] of this.inputs) {
      if (document.activeElement !== input) this.fill(input, field); // nobody types in it
    }
    if (shape === this.counted) return;
    this.counted = shape;
    const count = countPixels(shape, this.desk.shape);
    this.count.textContent = count === 0 ? "covers no pixel" : `${count.toLocaleString("en")} px`;
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
    if (sign === 0 || Number.isNaN(value)) return;
    event.preventDefault();
    input.value = spelt(value + sign * (event.shiftKey ? FAR : 1));
    this.take(name, input);
  }

  private fill(input: HTMLInputElement, field: string): void {
    const text = this.shape ? spelt(numberOf(this.shape, field)) : "";
    const isRefused = input.getAttribute("aria-invalid") === "true";
    if (input.value !== text && !isRefused) input.value = text;
  }

  /** Take what was typed, or say why not; the shape stays as it is then. */
  private take(field: string, input: HTMLInputElement): void {
    const { store } = this.desk;
    const { shape } = this;
    if (!shape || store.chosen === null) return;
    const why = refusalOf(shape, field, input.value);
    this.refuse(field, why);
    if (why !== "") return;
    if (input.value === spelt(numberOf(shape, field))) return; // more digits than are shown stay
    store.set(store.chosen, withNumber(shape, field, toNumber(input.value)));
  }

  private refuse(field: string, why: string): void {
    this.refusal.textContent = why;
    this.refusal.hidden = why === "";
    for (const [name, input] of this.inputs) {
      input.setAttribute("aria-invalid", String(why !== "" && name === field));
    }
  }
}

/** Write a number as it is typed: hundredths are enough for a pixel, and exact ones stay as they are. */
function spelt(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function button(icon: Parameters<typeof iconOf>[0], title: string): HTMLButtonElement {
  const each = make("button", { className: `udfw-button udfw-${icon}`, title, label: title });
  each.type = "button";
  each.append(iconOf(icon));
  keepKeys(each);
  return each;
}
