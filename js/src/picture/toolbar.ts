/** The header of an image: title, buttons, and the panel in which colours are chosen. */

import { COLORMAPS, REVERSED, gradient, isSymmetric } from "./colour";
import { Histogram } from "./histogram";
import type { ImageStore } from "../wire/store";
import { iconButton, keepKeys, make, say } from "../page/dom";
import { limits as limitTexts, plainPair, titleParts, unitText } from "../page/format";
import type { Keeper, Settings } from "../page/settings";

/** What is told of a scale. */
const SCALES = {
  "": "",
  log: "Colours follow the logarithm of the value",
  symlog:
    "Colours follow the logarithm of the value, of either sign, and are linear around zero: " +
    "not all values in the range are positive",
} as const;

export interface Actions {
  reset(): void;
  save(): void;
  copy(): void;
  /** Show all else that can be done, with its keys. */
  more(): void;
  /** The range of values in use. */
  limits(): readonly [number, number];
}

export class Toolbar {
  readonly element = make("div", { className: "udfw-header" });
  /** Over the pixels, where they take no room from the title; shown when the image is pointed at. */
  readonly tools = make("div", { className: "udfw-tools" });
  private readonly title = make("div", { className: "udfw-title" });
  private readonly low = make("span", { className: "udfw-limit" });
  private readonly high = make("span");
  private readonly unit = make("span", { className: "udfw-unit-of-values" });
  private readonly ramp = make("span", { className: "udfw-ramp" });
  private readonly scale = make("span", { className: "udfw-scale" });
  private readonly swatch = make("button", { className: "udfw-swatch", label: "Colours" });
  private readonly buttons = {
    log: iconButton("log", "Logarithmic scale"),
    auto: iconButton("auto", "Contrast follows the data"),
    overlay: iconButton("overlay", "Show which part of the scan is in"),
    reset: iconButton("reset", "Show all (double click)"),
    save: iconButton("save", "Save as PNG"),
    copy: iconButton("copy", "Copy the picture (C); N copies its numbers"),
    more: iconButton("more", "Look closer: all there is, and its keys (?)"),
  };
  private readonly panel: Panel;
  private shown: Partial<Pick<Settings, "title" | "colormap">> = {};

  constructor(
    private readonly settings: Keeper<Settings>,
    private readonly actions: Actions,
    store: ImageStore,
    signal: AbortSignal,
  ) {
    this.panel = new Panel(settings, actions, new Histogram(store, settings, actions, signal), signal);
    this.swatch.type = "button";
    const high = make("span", { className: "udfw-limit" }, this.high, this.unit);
    this.swatch.append(this.scale, this.low, this.ramp, high);
    keepKeys(this.swatch);
    const { log, auto, overlay, reset, save, copy, more } = this.buttons;
    const { tools } = this;
    tools.append(log, auto, overlay, reset, save, copy, more);
    tools.setAttribute("role", "toolbar");
    keepKeys(this.element);
    tools.setAttribute("aria-label", "Image");
    this.element.append(this.title, tools, this.swatch, this.panel.element);
    const click = (button: HTMLElement, act: () => void): void =>
      button.addEventListener("click", act, { signal });
    click(log, () => settings.set({ log_scale: !settings.get("log_scale") }));
    click(auto, () => this.toggleAuto());
    click(overlay, () => settings.set({ overlay: !settings.get("overlay") }));
    click(reset, () => actions.reset());
    click(save, () => actions.save());
    click(copy, () => actions.copy());
    click(more, () => actions.more());
    click(this.swatch, () => this.open(!this.panel.isOpen));
    this.element.addEventListener("keydown", (e) => e.key === "Escape" && this.close(), { signal });
    const outside = (event: Event): void => {
      if (!this.element.contains(event.target as Node)) this.open(false);
    };
    document.addEventListener("pointerdown", outside, { signal, capture: true });
    const left = ({ relatedTarget }: FocusEvent): void => {
      // Without a target the window has lost the focus, or a click has gone to nothing.
      if (relatedTarget && !this.element.contains(relatedTarget as Node)) this.open(false);
    };
    this.element.addEventListener("focusout", left, { signal });
    settings.onChange(() => this.update(), signal);
    this.update();
  }

  /** Show the settings and the limits as they are now. */
  private update(): void {
    const { settings } = this;
    // While a limit is dragged neither changes, and the page need not make them anew.
    const [title, colormap] = [settings.get("title"), settings.get("colormap")];
    if (title !== this.shown.title) showTitle(this.title, title);
    if (colormap !== this.shown.colormap) this.ramp.style.background = gradient(colormap);
    this.shown = { title, colormap };
    const pressed = { log: "log_scale", auto: "auto", overlay: "overlay" } as const;
    for (const [name, setting] of Object.entries(pressed)) {
      const button = this.buttons[name as keyof typeof pressed];
      button.setAttribute("aria-pressed", String(settings.get(setting)));
    }
    this.showLimits();
  }

  /** Show the limits, which may change with every frame, so nothing else is touched. */
  showLimits(): void {
    const [lo, hi] = this.actions.limits();
    const [low, high] = limitTexts(lo, hi);
    say(this.low, low);
    say(this.high, high);
    const unit = unitText(this.settings.get("value_units").at(0)?.[1] ?? "");
    say(this.unit, unit);
    const told = `Colours and contrast (H), from ${low} to ${high} ${unit}`.trimEnd();
    if (this.swatch.title !== told) this.swatch.title = told;
    const scale = !this.settings.get("log_scale") ? "" : isSymmetric(lo) ? "symlog" : "log";
    if (this.scale.textContent !== scale) {
      this.scale.textContent = scale;
      this.scale.title = SCALES[scale];
    }
    this.panel.update();
  }

  private toggleAuto(): void {
    const auto = !this.settings.get("auto");
    this.settings.set(auto ? { auto } : { auto, limits: [...this.actions.limits()] });
  }

  /** Do what one of the buttons does. */
  press(name: keyof Toolbar["buttons"]): void {
    this.buttons[name].click();
  }

  /** Show the panel, or put it away. */
  toggle(): void {
    if (this.isOpen) this.close();
    else this.open(true);
  }

  /** The image has another size, and another place with it. */
  resized(): void {
    this.panel.put();
  }

  /** Whether the panel is shown. */
  get isOpen(): boolean {
    return this.panel.isOpen;
  }

  private open(open: boolean): void {
    this.panel.show(open);
    this.swatch.setAttribute("aria-expanded", String(open));
  }

  private close(): void {
    if (!this.isOpen) return;
    // Where it stays if it is on the image; in the panel it would be lost.
    const isInside = this.panel.element.contains(document.activeElement);
    this.open(false);
    if (isInside) this.swatch.focus();
  }
}

/** Colour maps to choose from, and the two ends of the range. */
class Panel {
  readonly element = make("div", { className: "udfw-panel" });
  private readonly maps = new Map<string, HTMLButtonElement>();
  private readonly ends: HTMLInputElement[] = [];
  private readonly refusal = make("div", { className: "udfw-refusal" });
  private readonly invert = make("button", { className: "udfw-map", text: "Inverted" });

  constructor(
    private readonly settings: Keeper<Settings>,
    private readonly actions: Actions,
    private readonly histogram: Histogram,
    signal: AbortSignal,
  ) {
    this.element.hidden = true;
    // Over everything: the output of a cell ends not far below its image.
    this.element.popover = "manual";
    addEventListener("scroll", () => this.put(), { signal, capture: true, passive: true });
    addEventListener("resize", () => this.put(), { signal });
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Colours and contrast");
    this.element.append(histogram.element);
    const maps = make("div", { className: "udfw-maps" });
    for (const name of COLORMAPS) {
      const ramp = make("span", { className: "udfw-ramp" });
      ramp.style.background = gradient(name);
      const text = make("span", { text: name });
      const button = make("button", { className: "udfw-map", label: name }, ramp, text);
      button.type = "button";
      keepKeys(button);
      const choose = (): void => settings.set({ colormap: name + (this.isReversed ? REVERSED : "") });
      button.addEventListener("click", choose, { signal });
      this.maps.set(name, button);
      maps.append(button);
    }
    this.invert.type = "button";
    keepKeys(this.invert);
    const invert = (): void => settings.set({ colormap: reversed(settings.get("colormap")) });
    this.invert.addEventListener("click", invert, { signal });
    this.element.append(maps, this.invert);
    const row = make("div", { className: "udfw-range" });
    for (const label of ["From", "To"]) {
      const input = make("input", { label: `${label} value` });
      input.type = "number";
      input.step = "any";
      keepKeys(input);
      input.addEventListener("change", () => this.choose(), { signal });
      const key = (event: KeyboardEvent): void => {
        // JupyterLab keeps the browser from taking Enter for a change.
        if (event.key === "Enter") this.choose();
        if (event.key === "Escape") this.restore();
      };
      input.addEventListener("keydown", key, { signal });
      this.ends.push(input);
      row.append(make("label", { text: label }, input));
    }
    this.refusal.setAttribute("role", "alert");
    this.element.append(row, this.refusal);
    this.refuse("");
  }

  /** Say why limits are not taken; nothing where they are. */
  private refuse(why: string): void {
    this.refusal.textContent = why;
    this.refusal.hidden = why === "";
    for (const input of this.ends) input.setAttribute("aria-invalid", String(why !== ""));
  }

  private get isReversed(): boolean {
    return this.settings.get("colormap").endsWith(REVERSED);
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  show(open: boolean): void {
    if (open === this.isOpen) return;
    this.element.hidden = !open;
    this.element.togglePopover(open);
    if (!open) return;
    this.restore();
    this.update();
    this.put();
  }

  /** Put it below the header, or as low as there is room. */
  put(): void {
    if (!this.isOpen) return;
    const header = this.element.parentElement?.getBoundingClientRect();
    if (!header) return;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const keep = (at: number, most: number): string => `${Math.max(0, Math.min(at, most))}px`;
    this.element.style.left = keep(header.right - width, innerWidth - width);
    this.element.style.top = keep(header.bottom, innerHeight - height);
  }

  update(): void {
    if (!this.isOpen) return;
    this.histogram.update();
    const { isReversed } = this;
    this.invert.setAttribute("aria-pressed", String(isReversed));
    const name = this.settings.get("colormap");
    const chosen = isReversed ? reversed(name) : name;
    for (const [name, button] of this.maps) {
      button.setAttribute("aria-pressed", String(name === chosen));
    }
    for (const [i, input] of this.ends.entries()) {
      if (document.activeElement !== input) this.fill(input, i); // nobody types in it
    }
  }

  /** Forget what was typed. */
  private restore(): void {
    for (const [i, input] of this.ends.entries()) this.fill(input, i);
    this.refuse("");
  }

  private fill(input: HTMLInputElement, end: number): void {
    const text = plainPair(...this.actions.limits())[end];
    if (input.value !== text) input.value = text;
  }

  private choose(): void {
    const [lo, hi] = this.ends.map((input) => input.valueAsNumber);
    const why = refusalOf(lo, hi);
    this.refuse(why);
    if (why === "") this.settings.set({ limits: [lo, hi], auto: false });
  }
}

/** Show a title in parts, so that the style sheet can do with less of it. */
export function showTitle(element: HTMLElement, title: string): void {
  const { udf, colon, name, of } = titleParts(title);
  const part = (className: string, text: string, ...inside: Node[]): HTMLElement => {
    const span = make("span", { className: `udfw-title-${className}` });
    span.append(text, ...inside);
    return span;
  };
  // Two parts: where there is no room for both, the style sheet shows one of them.
  const parts = [part("name", name, part("of", of))];
  if (udf) parts.unshift(part("udf", udf, part("colon", colon)));
  element.replaceChildren(...parts);
  element.title = title;
}

/** Return the name of the same colour map from its other end. */
function reversed(colormap: string): string {
  return colormap.endsWith(REVERSED) ? colormap.slice(0, -REVERSED.length) : colormap + REVERSED;
}

/** Return why two numbers are no limits; nothing if they are. */
export function refusalOf(lo: number, hi: number): string {
  if (Number.isNaN(lo) || Number.isNaN(hi)) {
    return `${Number.isNaN(lo) ? "From" : "To"} is no number: type one, such as 0.5 or 1e3`;
  }
  return lo < hi ? "" : `From (${lo}) has to be less than To (${hi})`;
}
