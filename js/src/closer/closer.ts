/** Looking closer at one view of an image: keys, linked images, a ruler, and the whole screen. */

import { copy } from "../page/clipboard";
import { keepKeys, make } from "../page/dom";
import { isWhole, pan, zoom } from "../picture/geometry";
import { Keys, type Gesture } from "./keys";
import { copiedText, type Copied } from "../picture/numbers";
import { groupOf, type Group, type Member } from "./link";
import { Measure, type Subject } from "./measure";
import { Mark, type Spot } from "./spot";

/** Buttons that have keys as well. */
type Button = "log" | "auto" | "overlay" | "save";

export interface CloserPlace extends Subject {
  /** What distinguishes its axes from those of other images of the same size. */
  name: string;
  title: () => string;
  plot: HTMLElement;
  shell: HTMLElement;
  reset: () => void;
  /** The buttons of the image. */
  press: (button: Button) => void;
  /** Colours and contrast. */
  panel: { toggle: () => void; isOpen: () => boolean };
  /** Show the value there, as if the pointer were. */
  point: (at: Spot | null) => void;
  /** Has it as it was and as it is take turns. */
  replay: { blink: () => void; readonly isBlinking: boolean };
  /** All that is seen of it, as a PNG. */
  picture: () => Promise<Blob>;
  /** The numbers of what is shown, or why there are none. */
  numbers: () => Copied;
  /** Have its Fourier transform shown beside it, or put away. */
  transform: () => void;
}

const CENTRE = { x: 0.5, y: 0.5 };
const STEP = 1.5;
/** Shares of the window by which a key moves it. */
const [NEAR, FAR] = [0.1, 0.5];
const WAYS: Record<string, readonly [number, number]> = {
  arrowleft: [1, 0],
  arrowright: [-1, 0],
  arrowup: [0, 1],
  arrowdown: [0, -1],
};
/** Milliseconds for which something is said. */
const SAID = 4000;

export class Closer {
  private readonly keys: Keys;
  private readonly measure: Measure;
  private readonly mark = new Mark();
  private readonly said = make("div", { className: "udfw-said" });
  private readonly member: Member;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private group: Group | null = null;
  private root: HTMLElement | null = null;

  constructor(
    private readonly place: CloserPlace,
    private readonly signal: AbortSignal,
  ) {
    const { axes, settings, shell, plot } = place;
    this.measure = new Measure(place, signal);
    this.keys = new Keys(this.gestures(), signal);
    this.said.setAttribute("role", "status");
    for (const side of ["top", "bottom", "left", "right"] as const) {
      this.measure.layer.element.style[side] = plot.style[side];
    }
    plot.append(this.mark.element, this.said);
    shell.append(this.measure.layer.element, this.keys.list);
    this.member = {
      axes,
      // A notebook that was saved by an older version does not say.
      isLinked: () => settings.get("linked") ?? true,
      point: (at) => {
        this.mark.show(at, axes.get());
        place.point(at);
      },
    };
    axes.onChange(() => this.mark.put(axes.get()), signal);
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  /** Begin, once it is known what the image is part of. */
  attach(root: HTMLElement): void {
    const { name, shape, title } = this.place;
    const { signal } = this;
    this.root = root;
    root.tabIndex = 0;
    keepKeys(root);
    root.setAttribute("role", "group");
    const label = (): void => root.setAttribute("aria-label", `${title()}: press ? for its keys`);
    label();
    this.place.settings.onChange(label, signal);
    this.keys.listen(root, signal);
    this.measure.attach(root, signal);
    this.group = groupOf(root.closest(".udfw-analysis") ?? root, `${name} ${shape.join()}`);
    this.group.join(this.member, shape, signal);
    document.addEventListener("fullscreenchange", () => this.measure.update(), { signal });
  }

  /** The pointer is there, or has left. */
  point(at: Spot | null): void {
    this.group?.point(this.member, at);
  }

  /** There is something new. */
  update(): void {
    if (this.measure.isOn) this.measure.update();
  }

  /** Show all gestures and their keys. */
  list(): void {
    this.keys.toggle();
  }

  private gestures(): Gesture[] {
    const { place, measure } = this;
    const { axes, settings, shape } = place;
    const [ny, nx] = shape;
    const isZoomed = (): boolean => !isWhole(axes.get(), nx, ny);
    const nearer = (by: number) => (): void => axes.set(zoom(axes.get(), by, CENTRE, nx, ny));
    const move = (key: string, isFar: boolean): void => {
      const [dx, dy] = WAYS[key].map((way) => way * (isFar ? FAR : NEAR));
      axes.set(pan(axes.get(), dx, dy, nx, ny));
    };
    const blink = (): void => place.replay.blink();
    const button = (name: Button) => (): void => place.press(name);
    const one = (key: string, does: string, act: () => void): Gesture => ({
      keys: [key],
      shown: key.toUpperCase(),
      does,
      act,
    });
    return [
      { keys: ["+", "="], shown: "+", does: "Zoom in", act: nearer(1 / STEP) },
      { keys: ["-", "_"], shown: "−", does: "Zoom out", act: nearer(STEP), isOffered: isZoomed },
      {
        keys: Object.keys(WAYS),
        shown: "← → ↑ ↓",
        does: "Move (with Shift: farther)",
        act: move,
        isOffered: isZoomed,
      },
      one("r", "Show all", place.reset),
      one("h", "Colours and contrast", place.panel.toggle),
      { ...one("escape", "", place.panel.toggle), isOffered: place.panel.isOpen },
      { ...one("escape", "", blink), isOffered: () => place.replay.isBlinking },
      { ...one("l", "Logarithmic scale", button("log")), isOn: () => settings.get("log_scale") },
      { ...one("a", "Contrast follows the data", button("auto")), isOn: () => settings.get("auto") },
      { ...one("o", "Show what is in", button("overlay")), isOn: () => settings.get("overlay") },
      { ...one("m", "Measure: profile, length, angle", () => measure.toggle()), isOn: () => measure.isOn },
      { ...one("t", "Fourier transform beside it", place.transform), isOffered: () => this.canTransform },
      {
        ...one("k", "Move with the images beside it", () => this.toggleLink()),
        isOffered: () => (this.group?.others ?? 0) > 0,
        isOn: () => this.member.isLinked(),
      },
      { ...one("f", "Full screen", () => void this.fill()), isOn: () => this.isFull },
      { ...one("b", "Then and now by turns", blink), isOn: () => place.replay.isBlinking },
      one("s", "Save as PNG", button("save")),
      one("c", "Copy the picture", () => this.copyPicture()),
      one("n", "Copy the numbers that are shown", () => this.copyNumbers()),
      { keys: ["?"], shown: "?", does: "This list", act: () => this.keys.toggle() },
    ];
  }

  private get canTransform(): boolean {
    return this.place.name !== "fft" && this.root?.closest(".udfw-pictures") !== null;
  }

  private toggleLink(): void {
    const linked = !this.member.isLinked();
    this.point(null);
    this.place.settings.set({ linked });
    this.say(linked ? "Moves with the images beside it" : "Moves alone");
    // Where it is now is what the person looks at.
    if (linked) this.group?.spread(this.member);
  }

  private get isFull(): boolean {
    return this.root !== null && document.fullscreenElement === this.root;
  }

  private async fill(): Promise<void> {
    const { root } = this;
    try {
      if (this.isFull) await document.exitFullscreen();
      else await root?.requestFullscreen();
      root?.focus({ preventScroll: true });
    } catch {
      this.say("The browser does not allow full screen here");
    }
  }

  /** Put it on the clipboard as a picture. */
  copyPicture(): void {
    void this.copied({ "image/png": this.place.picture() }, "Copied the picture");
  }

  private copyNumbers(): void {
    const numbers = this.place.numbers();
    if ("why" in numbers) {
      this.say(numbers.why);
      return;
    }
    const what = { "text/plain": new Blob([numbers.text], { type: "text/plain" }) };
    void this.copied(what, copiedText(numbers));
  }

  private async copied(what: Record<string, Blob | Promise<Blob>>, done: string): Promise<void> {
    const isDone = await copy(what);
    this.say(isDone ? done : "The browser does not allow copying here: save it (S)");
  }

  /** Say something for a moment, to be seen and to be read out. */
  private say(text: string): void {
    this.said.textContent = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.said.textContent = ""), SAID);
  }
}
