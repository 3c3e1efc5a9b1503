/** What the hand has done, to be undone and done again. */

import type { Shape } from "./figures";

export interface Step {
  name: string;
  before: Shape | null;
  after: Shape | null;
}

/** Nobody goes back farther. */
const MOST = 200;

export class History {
  private readonly done: Step[] = [];
  private undone: Step[] = [];

  /** Take note of a step; one that is repeated, as a key that is held down, is one with the last. */
  add(step: Step, isRepeated = false): void {
    this.undone = [];
    const last = this.done.at(-1);
    if (isRepeated && last?.name === step.name && last.before && last.after) {
      last.after = step.after;
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
