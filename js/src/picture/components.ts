/** What is chosen of complex numbers and vectors: a part, or all of them as a colour wheel. */

import { hide, iconButton, keepKeys, make } from "../page/dom";
import { short } from "../page/format";
import type { Keeper, Settings } from "../page/settings";
import type { ImageStore } from "../wire/store";
import { angle, key } from "./wheel";

/** CSS pixels of the key. */
const KEY = 48;

/** As they are called on a card; all others by their own name. */
const WORDS: Record<string, string> = { wheel: "colour wheel" };

export interface Components {
  /** Name and colour map of each; none where there is nothing to choose. */
  known: readonly (readonly [string, string])[];
  connected: () => boolean;
  choose: (index: number) => void;
}

/** The key of a colour wheel, and the magnitude that is brightest. */
export interface Key {
  colormap: string;
  longest: number;
}

/** The row in which they are chosen, the button for arrows, and the key of the wheel. */
export class Chooser {
  readonly element = make("div", { className: "udfw-components" });
  /** Beside the image: which way a hue points. */
  readonly key = make("canvas", { className: "udfw-key" });
  private readonly select = make("select", { label: "What is shown" });
  private readonly arrows = iconButton("arrows", "Show arrows");
  private drawn = "";

  constructor(
    private readonly components: Components,
    private readonly settings: Keeper<Settings>,
    private readonly store: ImageStore,
    signal: AbortSignal,
  ) {
    const { known } = components;
    this.element.hidden = known.length === 0;
    for (const [name] of known) {
      this.select.append(make("option", { text: WORDS[name] ?? name }));
    }
    keepKeys(this.select);
    this.select.addEventListener("change", () => this.choose(this.select.selectedIndex), { signal });
    const toggle = (): void => settings.set({ arrows: !settings.get("arrows") });
    this.arrows.addEventListener("click", toggle, { signal });
    this.element.append(this.select, this.arrows);
    this.key.setAttribute("role", "img");
    settings.onChange(() => this.update(), signal);
    this.update();
  }

  /** Whether a colour wheel is on the screen. */
  get isWheel(): boolean {
    return this.store.frame?.colours === "wheel";
  }

  update(): void {
    const { components, settings, store } = this;
    const at = components.known.findIndex(([name]) => name === settings.get("component"));
    if (this.select.selectedIndex !== at) this.select.selectedIndex = at;
    this.select.disabled = !components.connected();
    this.arrows.setAttribute("aria-pressed", String(settings.get("arrows")));
    // Other components come without the directions.
    for (const each of [this.arrows, this.key]) hide(each, !this.isWheel);
    this.key.closest(".udfw-view")?.classList.toggle("udfw-wheel", this.isWheel);
    this.key.parentElement?.classList.toggle("udfw-colours", store.frame?.colours === "own");
    if (this.isWheel) this.draw();
  }

  /** What is drawn beside a picture that is saved, where others have a colour bar. */
  beside(longest: number): Key | null {
    return this.isWheel ? { colormap: this.settings.get("colormap"), longest } : null;
  }

  private choose(index: number): void {
    const [component, colormap] = this.components.known[index];
    this.components.choose(index);
    this.settings.set({ component, colormap, auto: true, limits: [], log_scale: false });
  }

  private draw(): void {
    const side = Math.round(KEY * (devicePixelRatio || 1));
    const colormap = this.settings.get("colormap");
    const by = `${side} ${colormap}`;
    if (by === this.drawn) return;
    this.drawn = by;
    this.key.width = this.key.height = side;
    this.key.getContext("2d")?.putImageData(key(side, colormap), 0, 0);
    const says = "Hue: which way it points. Brightness: how long it is";
    this.key.title = says;
    this.key.setAttribute("aria-label", says);
  }
}

/** Draw the key of a colour wheel into a picture, with its upper left corner at (x, y). */
export function drawKey(
  surface: CanvasRenderingContext2D,
  { colormap, longest }: Key,
  [x, y]: readonly [number, number],
): void {
  const disk = new OffscreenCanvas(4 * KEY, 4 * KEY);
  disk.getContext("2d")?.putImageData(key(4 * KEY, colormap), 0, 0);
  surface.imageSmoothingEnabled = true;
  surface.drawImage(disk, x, y, KEY, KEY);
  const before = surface.textAlign;
  surface.textAlign = "center";
  surface.fillText(short(longest), x + KEY / 2, y + KEY + 10);
  surface.textAlign = before;
}

/** What there is to say of the tint of a pixel, behind its value; nothing of others. */
export function spelt(store: ImageStore, y: number, x: number): string {
  const tint = store.tintAt(y, x);
  if (!tint) return "";
  if (tint.length === 3) return `red ${tint[0]}, green ${tint[1]}, blue ${tint[2]}`;
  const degrees = Math.round((angle(tint[0]) * 180) / Math.PI);
  const glyph = "→↘↓↙←↖↑↗"[((Math.round(degrees / 45) % 8) + 8) % 8];
  return `${String(degrees).replace("-", "\u2212")}° ${glyph}`;
}
