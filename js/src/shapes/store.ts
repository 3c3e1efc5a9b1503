/**
 * What a page knows of the shapes on one image, and what it has to say of them.
 *
 * What the hand does is here at once. Of what it does in an animation frame the first is said to the
 * kernel at once, and the last with the next frame. Until the kernel says that it has heard that, it
 * is newer than all that comes from there: an answer that was on its way meanwhile never moves a shape
 * back under the hand. The server of Jupyter may lose a message; what stays unheard is said again.
 */

import type { Part, Receiver } from "../wire/hub";
import type { DrawingFrame, Entry, Plain, Stroke } from "../wire/protocol";
import { KINDS, type Shape } from "./figures";
import { History, type Step } from "./history";

export interface Held {
  shape: Shape;
  /** Place in the palette. */
  colour: number;
}

/** The parts of a browser that a test replaces. */
export interface Clock {
  frame(callback: () => void): void;
  after(milliseconds: number, callback: () => void): () => void;
  /** Milliseconds of the day and age. */
  now(): number;
}

export const browserClock: Clock = {
  frame: (callback) => void requestAnimationFrame(callback),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
};

/** How much may be under way to the kernel: what more a hand does is said when that is heard. */
const UNDER_WAY = 2;

/** Milliseconds until something unheard is said again, and how much longer each time, at most. */
const PATIENCE = 1000;
const LONGEST_PATIENCE = 16_000;

interface Unheard {
  number: number;
  stroke: Stroke;
}

export class ShapesStore implements Receiver {
  sequence = 0;
  readonly settled = false;
  /** By name, in the order in which they are drawn. */
  shapes = new Map<string, Held>();
  chosen: string | null = null;
  /** Are told whether there is anything else to be seen. */
  readonly views = new Set<(isChanged: boolean) => void>();
  private readonly history = new History();
  private readonly unheard = new Map<string, Unheard>();
  /** Of what was said last. */
  private number: number;
  /** What the kernel has said that it heard. */
  private heard: number;
  private isDirty = false;
  /** Whether something was said in this frame. */
  private hasSaid = false;
  private isChanged = true;
  private patience = PATIENCE;
  private stopWaiting: (() => void) | null = null;

  constructor(
    private readonly page: string,
    private readonly colours: number,
    private readonly say: (number: number, strokes: Stroke[]) => void,
    private readonly clock: Clock = browserClock,
  ) {
    // Above all that another store of this page has said, before its notebook was opened again: the
    // kernel takes no number twice. Nobody says a thousand things per second.
    this.number = this.heard = clock.now();
  }

  // From the kernel

  apply(part: Part): boolean {
    const frame = part as DrawingFrame;
    this.sequence = frame.sequence;
    const heard = frame.heard.find(([page]) => page === this.page)?.[1] ?? 0;
    this.heard = Math.max(this.heard, heard);
    for (const [name, { number }] of this.unheard) {
      if (number <= heard) this.unheard.delete(name);
    }
    this.patience = PATIENCE;
    this.take(frame.shapes);
    this.sayMoves();
    return true;
  }

  /** Begin with what was saved. */
  restore(entries: readonly Entry[]): void {
    if (this.sequence === 0) this.take(entries);
  }

  private take(entries: readonly Entry[]): void {
    const before = this.shapes;
    const seen = this.seen();
    this.shapes = new Map();
    for (const [name, plain, colour] of entries) {
      if (isShape(plain)) this.shapes.set(name, { shape: plain, colour });
    }
    for (const [name, { stroke }] of this.unheard) {
      const colour = this.shapes.get(name)?.colour ?? before.get(name)?.colour;
      const [, plain] = stroke;
      if (plain === null) this.shapes.delete(name);
      else this.shapes.set(name, { shape: plain as unknown as Shape, colour: colour ?? this.freeColour() });
    }
    if (this.chosen !== null && !this.shapes.has(this.chosen)) this.chosen = null;
    this.isChanged ||= this.seen() !== seen;
  }

  private seen(): string {
    return JSON.stringify([[...this.shapes], this.chosen]);
  }

  /** Show what came from the kernel: most of it says no more than that it has heard. */
  paint(): void {
    const { isChanged } = this;
    this.isChanged = false;
    for (const view of this.views) view(isChanged);
  }

  /** Show what the hand has done. */
  show(): void {
    this.isChanged = true;
    this.paint();
  }

  // From the hand

  choose(name: string | null): void {
    if (this.chosen === name) return;
    this.chosen = name;
    this.show();
  }

  /** Show a shape while the hand moves it; null deletes it. */
  move(name: string, shape: Shape | null): void {
    this.put(name, shape, false);
    // Before it is shown: the kernel is at work meanwhile.
    this.isDirty = true;
    this.sayMoves();
    this.show();
  }

  /** Leave a shape as it is now; it was `before` the hand came, which can be undone. */
  rest(name: string, before: Shape | null): void {
    const after = this.shapes.get(name)?.shape ?? null;
    this.put(name, after, true);
    if (!isSame(before, after)) this.history.add([{ name, before, after }]);
    this.flush();
    this.show();
  }

  /** Set a shape, or delete it, in one go. */
  set(name: string, shape: Shape | null, isRepeated = false): void {
    this.setAll([[name, shape]], isRepeated);
  }

  /** Set several shapes, which is one step back. */
  setAll(wanted: readonly [name: string, shape: Shape | null][], isRepeated = false): void {
    const changes = wanted
      .map(([name, after]) => ({ name, before: this.shapes.get(name)?.shape ?? null, after }))
      .filter(({ before, after }) => !isSame(before, after));
    if (changes.length === 0) return;
    for (const { name, after } of changes) this.put(name, after, true);
    this.history.add(changes, isRepeated);
    this.flush();
    this.show();
  }

  /**
   * Give a shape another name, which no other has.
   *
   * The kernel takes it for that where one goes and an equal one comes in the same message.
   */
  rename(name: string, to: string): void {
    const held = this.shapes.get(name);
    if (!held || this.shapes.has(to)) return;
    const { shape } = held;
    const isChosen = this.chosen === name;
    const renamed = [...this.shapes].map(([each, other]): [string, Held] => [each === name ? to : each, other]);
    this.put(name, null, true);
    this.shapes = new Map(renamed); // in its place, with its colour
    this.put(to, shape, true);
    if (isChosen) this.chosen = to;
    this.history.add([
      { name, before: shape, after: null },
      { name: to, before: null, after: shape },
    ]);
    this.flush();
    this.show();
  }

  /** How many changes the kernel has not said it heard. */
  get unheardCount(): number {
    return this.unheard.size;
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  undo(): void {
    this.go(this.history.undo(), "before");
  }

  redo(): void {
    this.go(this.history.redo(), "after");
  }

  private go(step: Step | null, to: "before" | "after"): void {
    if (!step) return;
    // What goes makes room, also for the colour of what comes.
    for (const change of [...step].sort((a, b) => Number(a[to] !== null) - Number(b[to] !== null))) {
      this.put(change.name, change[to], true);
      if (change[to]) this.chosen = change.name;
    }
    this.flush();
    this.show();
  }

  /** Return a name for a new shape that no other has. */
  freeName(kind: string): string {
    for (let n = 1; ; n++) {
      const name = n === 1 ? kind : `${kind} ${n}`;
      if (!this.shapes.has(name)) return name;
    }
  }

  private put(name: string, shape: Shape | null, resting: boolean): void {
    if (shape) {
      const colour = this.shapes.get(name)?.colour ?? this.freeColour();
      this.shapes.set(name, { shape, colour });
    } else {
      this.shapes.delete(name);
      if (this.chosen === name) this.chosen = null;
    }
    const stroke: Stroke = [name, shape as unknown as Plain | null, resting];
    this.unheard.delete(name); // the order is that of the newest
    this.unheard.set(name, { number: this.number + 1, stroke });
  }

  /** Return the first of the colours that are used least, as Python will. */
  private freeColour(): number {
    const counts = new Array<number>(this.colours).fill(0);
    for (const { colour } of this.shapes.values()) counts[colour] += 1;
    return counts.indexOf(Math.min(...counts));
  }

  // To the kernel

  /** Say where the hand is, unless that was done in this frame, or too much is under way. */
  private sayMoves(): void {
    if (!this.isDirty || this.hasSaid || this.number - this.heard >= UNDER_WAY) return;
    this.flush();
    this.hasSaid = true;
    this.clock.frame(() => {
      this.hasSaid = false;
      this.sayMoves();
    });
  }

  private flush(): void {
    this.isDirty = false;
    this.number += 1;
    this.patience = PATIENCE;
    this.sayAll();
  }

  private sayAll(): void {
    this.say(this.number, [...this.unheard.values()].map(({ stroke }) => stroke));
    this.stopWaiting?.();
    this.stopWaiting = this.clock.after(this.patience, () => this.sayAgain());
  }

  /** Say again what the kernel has not heard, ever less often as long as it does not answer. */
  sayAgain(): void {
    if (this.unheard.size === 0) return;
    this.patience = Math.min(2 * this.patience, LONGEST_PATIENCE);
    // What the hand has done since would not be taken by a number that was said before.
    if (this.isDirty) this.number += 1;
    this.isDirty = false;
    this.sayAll();
  }

  /** Say nothing any more. */
  end(): void {
    this.stopWaiting?.();
  }
}

/** What was saved may come from another version. */
function isShape(plain: unknown): plain is Shape {
  const type = (plain as { type?: unknown } | null)?.type;
  return KINDS.some((kind) => kind === type);
}

function isSame(a: Shape | null, b: Shape | null): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
