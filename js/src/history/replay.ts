/** Draws an image as it was, or what has come since, in place of what it is. */

import type { Window } from "../picture/geometry";
import { Painter, type Look } from "../picture/painter";
import type { Theme } from "../page/theme";
import type { ImageFrame } from "../wire/protocol";
import { ImageStore } from "../wire/store";
import { pastOf, type Past } from "./past";
import { put, putDifference, recordOf, type Record } from "./record";

/** For what is more, and what is less. */
const SIGNED = "vik";

export class Replay {
  private readonly record: Record;
  private readonly aside: ImageStore;
  private readonly painter: Painter;
  private past: Past | null = null;
  private put = "";
  private largest = 1;
  /** How what is drawn of the past looks; null for now. */
  look: Look | null = null;

  constructor(store: ImageStore) {
    this.record = recordOf(store);
    this.aside = new ImageStore(store.kind);
    this.painter = new Painter(this.aside);
  }

  /** Follow the card around an image, from when it is in the document. */
  join(root: Element, changed: () => void, signal: AbortSignal): void {
    const past = (this.past = pastOf(root));
    past.records.add(this.record);
    signal.addEventListener("abort", () => past.records.delete(this.record));
    past.onChange(changed, signal);
  }

  /** Have then and now take turns, or no more. */
  blink(): void {
    this.past?.blink();
  }

  /** Whether they take turns. */
  get isBlinking(): boolean {
    return this.past?.isBlinking ?? false;
  }

  /** The share of the scan that was in of what is drawn; null for now. */
  get share(): number | null {
    const shown = this.past?.shown ?? null;
    return shown === null ? null : (this.record.at(shown)?.fraction ?? null);
  }

  /** What is drawn in place of now; null for now. */
  get source(): ImageStore | null {
    return this.look && this.aside;
  }

  /** Whether what has come since is drawn. */
  get isDifference(): boolean {
    return this.look !== null && this.past?.difference === true;
  }

  /**
   * Draw a moment that has gone; false if now is what is to be drawn.
   *
   * A contrast that follows the data follows those of then: of a sum, early pictures would be dark.
   */
  draw(
    canvas: HTMLCanvasElement,
    window: Window,
    lookAt: (frame: ImageFrame) => Look,
    theme: Theme,
    ratio: number,
  ): boolean {
    const { past, record } = this;
    const shown = past?.shown ?? null;
    const then = shown === null ? null : record.at(shown);
    const now = record.steps.at(-1);
    this.look = null;
    if (!past || !then || !now) return false;
    const by = `${past.difference} ${then.frame.sequence} ${past.difference ? now.frame.sequence : ""}`;
    if (by !== this.put && past.difference) this.largest = putDifference(this.aside, then, now);
    else if (by !== this.put) put(this.aside, then);
    this.put = by;
    const look = lookAt(then.frame);
    const contrast = { lo: -this.largest, hi: this.largest, log: false, gamma: 1 };
    const seen = past.difference ? { ...look, contrast, colormap: SIGNED, arrows: false } : look;
    this.look = seen;
    this.painter.draw(canvas, window, seen, theme, ratio);
    return true;
  }
}
