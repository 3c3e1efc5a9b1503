/** The names of the shapes: to choose one, and to call it something else. */

import { keepKeys, make } from "../../page/dom";
import type { ShapesStore } from "../store";

export interface NamesPlace {
  store: ShapesStore;
  palette: readonly string[];
  refuse: (why: string) => void;
  /** Have keys go to the shapes. */
  focus: () => void;
}

/** Python takes no longer ones. */
const LONGEST = 60;

/** Return in words why a shape cannot be called so; nothing if it can. */
export function refusalOfName(text: string, name: string, others: Iterable<string>): string {
  const wanted = text.trim();
  if (wanted === "") return "a name has at least one character";
  const length = Array.from(wanted).length; // as Python counts
  if (length > LONGEST) return `a name has up to ${LONGEST} characters, not ${length}`;
  const isTaken = wanted !== name && [...others].includes(wanted);
  return isTaken ? `there is a shape "${wanted}" already: choose another name` : "";
}

export class Names {
  readonly element = make("div", { className: "udfw-names" });
  private listed = "";
  /** Whose name is being typed. */
  private renamed: string | null = null;

  constructor(
    private readonly place: NamesPlace,
    private readonly signal: AbortSignal,
  ) {}

  update(): void {
    const { store, palette, focus } = this.place;
    if (this.renamed !== null && !store.shapes.has(this.renamed)) this.leave();
    if (this.renamed !== null) return; // somebody types
    const listed = JSON.stringify([...store.shapes].map(([name, { colour }]) => [name, colour]));
    if (listed !== this.listed) {
      this.listed = listed;
      const had = this.element.contains(document.activeElement);
      const each = [...store.shapes].map(([name, { colour }]) => this.nameOf(name, palette[colour % palette.length]));
      this.element.replaceChildren(...each);
      if (had) focus();
    }
    for (const child of this.element.children) {
      child.setAttribute("aria-pressed", String(child.textContent === store.chosen));
    }
  }

  private nameOf(name: string, colour: string): HTMLElement {
    const dot = make("span", { className: "udfw-dot" });
    dot.style.background = colour;
    const title = `${name}\nDouble click or F2: another name`;
    const each = make("button", { className: "udfw-name", title }, dot, make("span", { text: name }));
    each.type = "button";
    keepKeys(each);
    const { signal } = this;
    const chosen = (): void => {
      this.place.store.choose(name);
      this.place.focus();
    };
    each.addEventListener("click", chosen, { signal });
    each.addEventListener("dblclick", () => this.rename(name, each), { signal });
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "F2") return;
      event.preventDefault();
      this.rename(name, each);
    };
    // On a shape it does the same, see `renameChosen`.
    each.addEventListener("keydown", pressed, { signal });
    return each;
  }

  /** Have another name typed for the shape that is chosen. */
  renameChosen(): void {
    const { chosen } = this.place.store;
    const button = [...this.element.children].find((each) => each.textContent === chosen);
    if (chosen !== null && button instanceof HTMLElement) this.rename(chosen, button);
  }

  /** Have a name typed in its place. */
  private rename(name: string, button: HTMLElement): void {
    const input = make("input", { className: "udfw-rename", label: `Another name for ${name}` });
    input.type = "text";
    input.value = name;
    input.spellcheck = false;
    keepKeys(input);
    this.renamed = name;
    button.replaceWith(input);
    const { signal } = this;
    const key = (event: KeyboardEvent): void => {
      event.stopPropagation(); // what is typed is no key of the shapes
      if (event.key === "Enter") this.take(name, input);
      if (event.key === "Escape") this.leave();
    };
    input.addEventListener("keydown", key, { signal });
    input.addEventListener("blur", () => this.take(name, input, true), { signal });
    input.focus();
    input.select();
  }

  /** Take what was typed, or say why not; who goes elsewhere has left it as it was. */
  private take(name: string, input: HTMLInputElement, isLast = false): void {
    const { store, refuse } = this.place;
    if (this.renamed !== name) return;
    const why = refusalOfName(input.value, name, store.shapes.keys());
    refuse(why);
    input.setAttribute("aria-invalid", String(why !== ""));
    if (why !== "" && !isLast) return;
    const to = input.value.trim();
    this.renamed = null;
    if (why === "" && to !== name) store.rename(name, to);
    this.show(isLast);
  }

  private leave(): void {
    this.renamed = null;
    this.place.refuse("");
    this.show(false);
  }

  private show(isElsewhere: boolean): void {
    this.listed = "";
    this.update();
    if (!isElsewhere) this.place.focus();
  }
}
