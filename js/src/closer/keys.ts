/** The keys of an image: what each does, and the list of them, which is a menu as well. */

import { keepKeys, make } from "../page/dom";

export interface Gesture {
  /** As `KeyboardEvent.key` has them, in lower case. */
  keys: readonly string[];
  /** As they are written in the list. */
  shown: string;
  /** Empty for what is not in the list. */
  does: string;
  /** Called with the key, and whether Shift was pressed, which goes farther. */
  act(key: string, far: boolean): void;
  /** Whether it makes sense now. */
  isOffered?(): boolean;
  /** Whether it is switched on, for what can be. */
  isOn?(): boolean;
}

/** In fields the keys are those of the field. */
const TYPED = "input, select, textarea";
/** Keys that move the focus or a handle there. */
const MOVING = new Set(["arrowleft", "arrowright", "arrowup", "arrowdown"]);
const MENUS = ".udfw-panel, .udfw-keys";

export class Keys {
  readonly list = make("dialog", { className: "udfw-keys", label: "Keys of this image" });
  private readonly rows = new Map<Gesture, HTMLButtonElement>();

  constructor(
    private readonly gestures: readonly Gesture[],
    signal: AbortSignal,
  ) {
    const close = make("button", { className: "udfw-row udfw-done", text: "Close" });
    close.type = "button";
    keepKeys(close);
    close.append(make("kbd", { text: "Esc" }));
    close.addEventListener("click", () => this.list.close(), { signal });
    for (const gesture of gestures) if (gesture.does) this.list.append(this.row(gesture, signal));
    this.list.append(close);
    // A click beside it closes it: there the target is the dialog itself.
    this.list.addEventListener("click", (e) => e.target === this.list && this.list.close(), { signal });
    const key = (event: KeyboardEvent): void => {
      // Nothing behind it is meant, and JupyterLab is not either.
      event.stopPropagation();
      const isMove = MOVING.has(event.key.toLowerCase());
      if (event.key === "Escape" || (!isMove && this.press(event))) this.list.close();
    };
    this.list.addEventListener("keydown", key, { signal });
  }

  private row(gesture: Gesture, signal: AbortSignal): HTMLButtonElement {
    const row = make("button", { className: "udfw-row" }, make("span", { text: gesture.does }));
    row.type = "button";
    for (const each of gesture.shown.split(" ")) row.append(make("kbd", { text: each }));
    keepKeys(row);
    const act = (): void => {
      this.list.close();
      gesture.act(gesture.keys[0], false);
    };
    row.addEventListener("click", act, { signal });
    this.rows.set(gesture, row);
    return row;
  }

  /** Show all of them, or put the list away. */
  toggle(): void {
    if (this.list.open) {
      this.list.close();
      return;
    }
    for (const [gesture, row] of this.rows) {
      row.hidden = gesture.isOffered?.() === false;
      if (gesture.isOn) row.setAttribute("aria-pressed", String(gesture.isOn()));
    }
    this.list.showModal();
  }

  /** Take the keys that come to an image, unless something on it has taken them. */
  listen(root: HTMLElement, signal: AbortSignal): void {
    const press = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      const isMenu = target.closest(MENUS) !== null && MOVING.has(event.key.toLowerCase());
      if (isMenu || target.closest(TYPED) || !this.press(event)) return;
      event.stopPropagation();
    };
    root.addEventListener("keydown", press, { signal });
  }

  /** Do what a key means; false if it means nothing. */
  private press(event: KeyboardEvent): boolean {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return false;
    const key = event.key.toLowerCase();
    const isMeant = (each: Gesture): boolean => each.keys.includes(key) && each.isOffered?.() !== false;
    const gesture = this.gestures.find(isMeant);
    if (!gesture) return false;
    event.preventDefault();
    gesture.act(key, event.shiftKey);
    return true;
  }
}
