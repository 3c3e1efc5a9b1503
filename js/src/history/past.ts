/** Which moment of a run all images of a card show, and how: the picture then, or what came since. */

import type { Record } from "./record";

/** Milliseconds of a picture while two take turns, and of a step that is played. */
const BLINK = 500;
const PLAY = 120;

export class Past {
  readonly records = new Set<Record>();
  /** The share of the scan that was in; null for now. */
  share: number | null = null;
  difference = false;
  isBlinking = false;
  isPlaying = false;
  /** While it blinks: whether the picture of now is shown. */
  private isNow = false;
  /** What was shown before it began to blink. */
  private before: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly callbacks = new Set<() => void>();

  /** The moment that is on the screen at this moment; null for now. */
  get shown(): number | null {
    return this.isBlinking && this.isNow ? null : this.share;
  }

  /** The moments that there are, of the image that has most of them. */
  get moments(): readonly number[] {
    const lists = [...this.records].map((record) => record.steps.map((step) => step.fraction));
    return lists.reduce((most, each) => (each.length > most.length ? each : most), []);
  }

  onChange(callback: () => void, signal: AbortSignal): void {
    this.callbacks.add(callback);
    signal.addEventListener("abort", () => {
      this.callbacks.delete(callback);
      if (this.callbacks.size === 0) this.stop();
    });
  }

  /** Show another moment; null for now. */
  show(share: number | null): void {
    this.stop();
    this.share = share;
    this.tell();
  }

  /** Show what has come since, or the picture. */
  compare(difference: boolean): void {
    this.difference = difference;
    if (difference && this.share === null) this.share = this.middle();
    this.tell();
  }

  /** Have then and now take turns, or no more. */
  blink(): void {
    const wanted = !this.isBlinking;
    this.stop();
    this.isBlinking = wanted;
    this.difference = false;
    if (!wanted) this.share = this.before;
    if (wanted) {
      this.before = this.share;
      this.share ??= this.middle();
      this.isNow = false;
      this.timer = setInterval(() => {
        this.isNow = !this.isNow;
        this.tell();
      }, BLINK);
    }
    this.tell();
  }

  /** Show one moment after the other, from the one that is shown, or from the first. */
  play(): void {
    const wanted = !this.isPlaying;
    this.stop();
    this.isPlaying = wanted;
    const moments = this.moments;
    if (wanted) {
      const after = (share: number | null): number | null =>
        moments.find((each) => share !== null && each > share + 1e-9) ?? null;
      this.share = after(this.share) ?? moments.at(0) ?? null;
      this.timer = setInterval(() => {
        const next = after(this.share);
        if (next === null || next === moments.at(-1)) this.stop();
        this.share = next === moments.at(-1) ? null : next;
        this.tell();
      }, PLAY);
    }
    this.tell();
  }

  /** A moment to compare with, where none was chosen. */
  private middle(): number | null {
    const moments = this.moments;
    return moments.at(Math.floor((moments.length - 1) / 2)) ?? null;
  }

  private stop(): void {
    clearInterval(this.timer);
    this.isBlinking = this.isPlaying = false;
  }

  private tell(): void {
    for (const callback of this.callbacks) callback();
  }
}

const pasts = new WeakMap<Element, Past>();

/** Return that of the card around an element that is in the document, or of the element itself. */
export function pastOf(element: Element): Past {
  const card = element.closest(".udfw-analysis") ?? element.closest(".udfw-image") ?? element;
  let past = pasts.get(card);
  if (!past) pasts.set(card, (past = new Past()));
  return past;
}
