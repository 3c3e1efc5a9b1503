/**
 * Whether a model has views, and whether any of them is in sight.
 *
 * A view that is taken away was deleted by the person, or is being moved, or its notebook was closed.
 * So the page waits a moment for another view to appear, and looks whether the notebook is still
 * there, before it says that there is none: the kernel lets go of what nobody can see any more.
 */

import type { View } from "./protocol";

/** Milliseconds that a cell which is moved, or run again, may be without its view. */
export const GRACE = 1000;

export class Sight {
  private readonly views = new Map<object, boolean>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tell: (view: View) => void,
    /** Whether the place where views would be is closed. */
    private readonly isPlaceClosed: () => boolean,
  ) {}

  /** Take note of a view of which it is not known yet whether it can be seen. */
  add(view: object): void {
    clearTimeout(this.timer);
    this.views.set(view, false);
  }

  /** Take note of a view, and of whether it can be seen. */
  set(view: object, visible: boolean): void {
    clearTimeout(this.timer);
    this.views.set(view, visible);
    this.tell(this.current);
  }

  /** Take note that a view is gone. */
  remove(view: object): void {
    if (!this.views.delete(view)) return;
    this.tell(this.current);
    if (this.views.size > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.isPlaceClosed()) this.tell("none");
    }, GRACE);
  }

  /** Say nothing any more. */
  end(): void {
    clearTimeout(this.timer);
  }

  private get current(): View {
    return [...this.views.values()].includes(true) ? "visible" : "hidden";
  }
}
