/** What a hand does with shapes, by pointer and by keys; knows of no events and of no screen. */

import { moved, rounded, type Kind, type Pair, type Shape } from "./figures";
import {
  degreesOf,
  distance,
  gripAt,
  INSIDE,
  nearestEighth,
  pull,
  sizeOf,
  type Grip,
  type Touch as Where,
} from "./grips";
import { direction } from "./directions";
import type { ShapesStore } from "./store";
import { drawn } from "./tools";

/** A shape under the pointer, and where it would be taken. */
export interface Hit {
  name: string;
  grip: Grip;
}

export interface Touch extends Where {
  /** The Shift key. */
  regular: boolean;
}

interface Move {
  kind: "move";
  name: string;
  grip: Grip;
  before: Shape;
  from: Touch;
  hasMoved: boolean;
}

interface Draw {
  kind: "draw";
  tool: Kind;
  name: string;
  from: Touch;
  path: Pair[];
}

/** A key as it came, whatever the keyboard. */
export interface Key {
  key: string;
  shift: boolean;
  /** Ctrl, or Cmd on a Mac. */
  command: boolean;
  repeat: boolean;
}

const ARROWS: Record<string, Pair> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const FAR = 10;

export class Hand {
  tool: Kind | null = null;
  /** Corners of a polygon that is being drawn, and where the next one would be. */
  corners: Pair[] = [];
  next: Pair | null = null;
  private gesture: Move | Draw | null = null;

  constructor(
    private readonly store: ShapesStore,
    /** Of shapes that are clicked and not drawn, in data pixels. */
    private readonly size: () => number,
  ) {}

  get isBusy(): boolean {
    return this.gesture !== null;
  }

  /** The shape that is being moved or drawn. */
  get held(): string | null {
    return this.gesture?.name ?? null;
  }

  shapeOf(name: string): Shape | null {
    return this.store.shapes.get(name)?.shape ?? null;
  }

  /** Have no shape chosen. */
  leave(): void {
    this.store.choose(null);
  }

  take(tool: Kind | null): void {
    this.cancel();
    this.corners = [];
    this.next = null;
    this.tool = tool;
    this.store.show();
  }

  /** Return what would be taken hold of. */
  hitAt(at: Touch): Hit | null {
    const hits: { hit: Hit; rank: number; size: number }[] = [];
    for (const [name, { shape }] of this.store.shapes) {
      const isChosen = name === this.store.chosen;
      const grip = gripAt(shape, at, isChosen);
      // What is chosen has its handles in front of all, and insides come last, the smallest first.
      const rank = grip === INSIDE ? 2 : isChosen ? 0 : 1;
      if (grip !== null) hits.push({ hit: { name, grip }, rank, size: sizeOf(shape) });
    }
    // What was drawn later lies on top.
    return hits.reverse().sort((a, b) => a.rank - b.rank || a.size - b.size).at(0)?.hit ?? null;
  }

  /** Take hold; false if there is nothing here. */
  press(at: Touch): boolean {
    if (this.tool === "polygon") {
      this.addCorner(at);
      return true;
    }
    if (this.tool) {
      const name = this.store.freeName(this.tool);
      this.gesture = { kind: "draw", tool: this.tool, name, from: at, path: [[at.x, at.y]] };
      this.draw(this.gesture, at);
      return true;
    }
    const hit = this.hitAt(at);
    const before = hit && this.store.shapes.get(hit.name)?.shape;
    if (!hit || !before) return false;
    this.store.choose(hit.name);
    this.gesture = { kind: "move", ...hit, before, from: at, hasMoved: false };
    return true;
  }

  /** Move on; `path` are the positions since, if the screen knows more of them. */
  drag(at: Touch, path: readonly Pair[] = [[at.x, at.y]]): void {
    const { gesture } = this;
    if (this.corners.length > 0) {
      this.next = this.cornerAt(at);
      this.store.show();
    }
    if (gesture?.kind === "draw") {
      gesture.path.push(...path);
      this.draw(gesture, at);
    }
    if (gesture?.kind === "move") {
      const { name, grip, before, from } = gesture;
      // A click trembles.
      gesture.hasMoved ||= distance(from, at) > Math.min(from.reach, at.reach) / 3;
      if (gesture.hasMoved) this.store.move(name, pull(before, grip, from, at, at.regular));
    }
  }

  private draw({ tool, name, from, path }: Draw, to: Touch): void {
    const { reach, regular } = to;
    const shape = drawn(tool, { from, to, path, regular, size: this.size(), reach });
    if (shape) this.store.move(name, shape);
  }

  /** Let go, where the hand is. */
  lift(): void {
    const { gesture } = this;
    this.gesture = null;
    if (gesture?.kind === "move" && gesture.hasMoved) this.store.rest(gesture.name, gesture.before);
    if (gesture?.kind === "draw") this.finish(gesture.name);
  }

  private finish(name: string): void {
    this.tool = null;
    if (this.store.shapes.has(name)) this.store.chosen = name;
    this.store.rest(name, null);
  }

  /** Let go, as if nothing had been done. */
  cancel(): void {
    const { gesture } = this;
    this.gesture = null;
    if (gesture?.kind === "move" && gesture.hasMoved) {
      this.store.move(gesture.name, gesture.before);
      this.store.rest(gesture.name, gesture.before);
    }
    if (gesture?.kind === "draw" && this.store.shapes.has(gesture.name)) {
      this.store.move(gesture.name, null);
      this.store.rest(gesture.name, null);
    }
  }

  // Polygons, corner by corner

  private addCorner(at: Touch): void {
    const { corners } = this;
    const isAt = (corner: Pair | undefined): boolean =>
      corner !== undefined && distance({ x: corner[0], y: corner[1] }, at) <= at.reach;
    // On the first one, or twice on the same.
    if (corners.length >= 3 && (isAt(corners[0]) || isAt(corners.at(-1)))) {
      this.close();
      return;
    }
    if (!isAt(corners.at(-1))) corners.push(this.cornerAt(at));
    this.next = null;
    this.store.show();
  }

  private cornerAt(at: Touch): Pair {
    const last = this.corners.at(-1);
    if (!at.regular || !last) return [at.x, at.y];
    const [dx, dy] = [at.x - last[0], at.y - last[1]];
    const [c, s] = direction(nearestEighth(degreesOf(dx, dy)));
    const length = dx * c + dy * s;
    return [last[0] + length * c, last[1] + length * s];
  }

  private close(): void {
    const name = this.store.freeName("polygon");
    const shape = rounded<Shape>({ type: "polygon", points: this.corners });
    this.corners = [];
    this.next = null;
    this.tool = null;
    this.store.set(name, shape);
    this.store.choose(name);
  }

  // Keys

  /** Answer a key; false if it means nothing here. */
  pressKey({ key, shift, command, repeat }: Key): boolean {
    const { store } = this;
    if (key === "Escape") return this.release();
    if (command) return this.goBack(key.toLowerCase(), shift);
    if (key === "Enter" && this.corners.length >= 3) {
      this.close();
      return true;
    }
    if (key === "Backspace" && this.corners.length > 0) {
      this.corners.pop();
      store.show();
      return true;
    }
    if (store.chosen === null || this.isBusy) return false;
    if (key === "Delete" || key === "Backspace") {
      store.set(store.chosen, null);
      return true;
    }
    if (!(key in ARROWS)) return false;
    this.nudge(store.chosen, ARROWS[key], shift ? FAR : 1, repeat);
    return true;
  }

  private release(): boolean {
    if (this.gesture) this.cancel();
    else if (this.tool) this.take(null);
    else if (this.store.chosen !== null) this.store.choose(null);
    else return false;
    return true;
  }

  private goBack(key: string, shift: boolean): boolean {
    if (key !== "z" && key !== "y") return false;
    if (this.isBusy) return true; // it is not done yet
    if (key === "y" || shift) this.store.redo();
    else this.store.undo();
    return true;
  }

  private nudge(name: string, [x, y]: Pair, by: number, repeat: boolean): void {
    const shape = this.store.shapes.get(name)?.shape;
    if (shape) this.store.set(name, rounded(moved(shape, x * by, y * by)), repeat);
  }
}
