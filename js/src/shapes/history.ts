/** What the hand has done, to be undone and done again. */

import type { Shape } from "./figures";

/** What has become of one shape. */
export interface Change {
  name: string;
  before: Shape | null;
  after: Shape | null;
}

/** All that was done in one go. */
export type Step = Change[];

/** Nobody goes back farther. */
const MOST = 200;

export class History {
  private readonly done: Step[] = [];
  private undone: Step[] = [];

  /** Take note of a step; one that is repeated, as a key that is held down, is one with the last. */
  add(step: Step, isRepeated = false): void {
    this.undone = [];
    const [last, change] = [this.done.at(-1)?.at(-1), step[0]];
    if (isRepeated && last?.name === change.name && last.before && last.after) {
      last.after = change.after;
      return;
    }
    this.done.push(step);
    if (this.done.length > MOST) this.done.shift();
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  undo(): Step | null {
    return shift(this.done, this.undone);
  }

  redo(): Step | null {
    return shift(this.undone, this.done);
  }
}

function shift(from: Step[], to: Step[]): Step | null {
  const step = from.pop() ?? null;
  if (step) to.push(step);
  return step;
}
