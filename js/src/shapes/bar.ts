/** Below the image: tools to draw with, the names of the shapes, and the numbers of the chosen one. */

import { hide, keepKeys, make } from "../page/dom";
import { KINDS, type Kind } from "./figures";
import type { Hand } from "./hand";
import { Fields } from "./bench/fields";
import { Names } from "./bench/names";
import { Presets, type Preset } from "./bench/presets";
import type { Units } from "../page/settings";
import { iconOf } from "./icons";
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
  /** Size and unit of a pixel. */
  units: () => Units;
  /** Have keys go to the shapes. */
  focus: () => void;
}

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
    hide(this.row, offered.length === 0);
    this.presets.update();
    hide(this.element, this.row.hidden && this.presets.element.hidden && store.shapes.size === 0);
    for (const [kind, each] of this.buttons) {
      hide(each, !offered.includes(kind));
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
    hide(this.refusal, why === "");
    this.refused = this.desk.store.chosen;
  }
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
