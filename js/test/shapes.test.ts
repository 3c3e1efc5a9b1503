import { expect, test } from "vitest";
import type { Shape } from "../src/shapes/figures";
import { Hand, type Key, type Touch } from "../src/shapes/hand";
import { refusalOfName } from "../src/shapes/bench/names";
import { namesOfParts, sectors } from "../src/shapes/bench/presets";
import { mask } from "../src/shapes/pixels";
import { ShapesStore, type Clock } from "../src/shapes/store";
import type { DrawingFrame, Entry, Stroke } from "../src/wire/protocol";

const disk = (cx: number, r = 5): Shape => ({ type: "disk", cx, cy: 20, r });
const entry = (name: string, shape: Shape, colour = 0): Entry => [name, { ...shape }, colour];

class Bench implements Clock {
  readonly said: { number: number; strokes: Stroke[] }[] = [];
  readonly store: ShapesStore;
  readonly hand: Hand;
  private frames: (() => void)[] = [];
  timer: (() => void) | null = null;
  patience = 0;

  constructor(...entries: Entry[]) {
    this.store = new ShapesStore("me", 8, (number, strokes) => this.said.push({ number, strokes }), this);
    this.hand = new Hand(this.store, () => 8);
    if (entries.length > 0) this.get(entries);
  }

  frame(callback: () => void): void {
    this.frames.push(callback);
  }
  after(milliseconds: number, callback: () => void): () => void {
    this.timer = callback;
    this.patience = milliseconds;
    return () => (this.timer = null);
  }
  now(): number {
    return 0;
  }
  tick(): void {
    for (const callback of this.frames.splice(0)) callback();
  }
  /** Get the state that the kernel has, which has heard so much of this page. */
  get(shapes: Entry[], heard = 0, others: [string, number][] = []): void {
    const part: DrawingFrame = { key: "k", sequence: 1, shapes, heard: [...others, ["me", heard]] };
    this.store.apply(part);
  }
  has(): Record<string, Shape> {
    return Object.fromEntries([...this.store.shapes].map(([name, { shape }]) => [name, shape]));
  }
  last(): Stroke[] {
    return this.said.at(-1)?.strokes ?? [];
  }
}

const at = (x: number, y = 20, more: Partial<Touch> = {}): Touch => ({
  ...{ x, y, reach: 1, unit: 0.1, regular: false },
  ...more,
});
const key = (name: string, more: Partial<Key> = {}): Key => ({
  key: name,
  shift: false,
  command: false,
  repeat: false,
  ...more,
});

test("of the moves in an animation frame the first one is said at once, and the last one", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  for (const x of [11, 12, 13]) bench.hand.drag(at(x));
  expect(bench.said).toEqual([{ number: 1, strokes: [["BF", disk(11), false]] }]);
  bench.tick();
  expect(bench.said[1]).toEqual({ number: 2, strokes: [["BF", disk(13), false]] });
  bench.hand.lift();
  expect(bench.said[2]).toEqual({ number: 3, strokes: [["BF", disk(13), true]] });
  bench.tick();
  expect(bench.said).toHaveLength(3);
});

test("no more than two moves are under way, then the newest follows", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  for (const x of [11, 12, 13, 14, 15]) {
    bench.hand.drag(at(x));
    bench.tick();
  }
  expect(bench.said.map(({ number }) => number)).toEqual([1, 2]);
  bench.get([entry("BF", disk(11))], 1);
  expect(bench.said[2]).toEqual({ number: 3, strokes: [["BF", disk(15), false]] });
  bench.get([entry("BF", disk(15))], 3);
  bench.tick();
  expect(bench.said).toHaveLength(3);
});

test("views are told apart what has changed and what was only heard", () => {
  const bench = new Bench(entry("BF", disk(10)));
  const told: boolean[] = [];
  bench.store.views.add((isChanged) => told.push(isChanged));
  bench.store.paint();
  bench.hand.press(at(10));
  bench.hand.drag(at(11));
  told.length = 0;
  bench.get([entry("BF", disk(11))], 1);
  bench.store.paint();
  bench.get([entry("BF", disk(12))], 1);
  bench.store.paint();
  expect(told).toEqual([false, true]);
});

test("an older state does not move a shape back under the hand", () => {
  const bench = new Bench(entry("BF", disk(10)), entry("other", disk(50)));
  bench.hand.press(at(10));
  bench.hand.drag(at(12));
  bench.tick();
  bench.hand.drag(at(14));
  bench.tick();
  bench.get([entry("BF", disk(12)), entry("other", disk(60))], 1);
  expect(bench.has()).toEqual({ BF: disk(14), other: disk(60) });
  bench.hand.lift();
  bench.get([entry("BF", disk(14))], 2, [["you", 99]]);
  expect(bench.has()).toEqual({ BF: disk(14) });
  bench.get([entry("BF", disk(30))], 3); // Python has set it since
  expect(bench.has()).toEqual({ BF: disk(30) });
});

test("what is drawn and deleted here stays so until the kernel has heard it", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.store.set("BF", null);
  bench.store.set("new", disk(20));
  bench.get([entry("BF", disk(10))], 0);
  expect(bench.has()).toEqual({ new: disk(20) });
  bench.get([entry("new", disk(20), 3)], 2);
  expect(bench.has()).toEqual({ new: disk(20) });
  expect(bench.store.shapes.get("new")?.colour).toBe(3);
});

test("a state in which the kernel has dropped a stroke brings the last good shape back", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.store.set("BF", disk(12));
  bench.get([entry("BF", disk(10))], 1);
  expect(bench.has()).toEqual({ BF: disk(10) });
});

test("what is not heard is said again, ever less often", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.store.set("BF", disk(12));
  const before = bench.patience;
  bench.timer?.();
  expect(bench.said[1]).toEqual(bench.said[0]);
  expect(bench.patience).toBe(2 * before);
  for (let i = 0; i < 20; i++) bench.timer?.();
  expect(bench.patience).toBeLessThan(60_000);
  bench.get([entry("BF", disk(12))], 1);
  const said = bench.said.length;
  bench.timer?.();
  expect(bench.said).toHaveLength(said);
});

test("what a hand has done since is not said again by a number that may have been heard", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  for (const x of [11, 12, 13]) {
    bench.hand.drag(at(x));
    bench.tick();
  }
  expect(bench.said.map(({ number }) => number)).toEqual([1, 2]); // more is not under way
  bench.timer?.();
  expect(bench.said[2]).toEqual({ number: 3, strokes: [["BF", disk(13), false]] });
  bench.timer?.();
  expect(bench.said[3]).toEqual(bench.said[2]);
});

test("a stroke that was lost goes with the next one", () => {
  const bench = new Bench(entry("a", disk(10)), entry("b", disk(40)));
  bench.store.set("a", disk(12));
  bench.store.set("b", disk(42));
  expect(bench.last()).toEqual([["a", disk(12), true], ["b", disk(42), true]]); // prettier-ignore
});

test("a notebook that is opened again in a page goes on where the page had left off", () => {
  const said: number[] = [];
  let now = 1000;
  const clock = { frame: () => undefined, after: () => () => undefined, now: () => now };
  const open = (): ShapesStore => new ShapesStore("me", 8, (number) => said.push(number), clock);
  const before = open();
  for (const x of [1, 2, 3]) before.set("BF", disk(x));
  now += 500;
  const after = open();
  const part = { key: "k", sequence: 1, shapes: [entry("BF", disk(3))], heard: [["me", 1003]] };
  after.apply(part as DrawingFrame);
  after.set("BF", disk(4));
  after.apply(part as DrawingFrame);
  expect(after.shapes.get("BF")?.shape).toEqual(disk(4));
  expect(said).toEqual([...said].sort((a, b) => a - b));
  expect(new Set(said).size).toBe(4);
});

test("saved shapes are shown until the kernel says what there is", () => {
  const bench = new Bench();
  bench.store.restore([entry("BF", disk(1)), ["odd", { type: "blob" }, 1]]);
  expect(bench.has()).toEqual({ BF: disk(1) });
  bench.get([]);
  expect(bench.has()).toEqual({});
  bench.store.restore([entry("BF", disk(1))]);
  expect(bench.has()).toEqual({});
});

test("new shapes get names and colours that are free", () => {
  const bench = new Bench(entry("disk", disk(1), 0), entry("disk 3", disk(1), 2));
  expect(bench.store.freeName("disk")).toBe("disk 2");
  expect(bench.store.freeName("annulus")).toBe("annulus");
  bench.store.set("disk 2", disk(2));
  expect(bench.store.shapes.get("disk 2")?.colour).toBe(1);
});

test("undo and redo go through moves, drawings and deletions", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  bench.hand.drag(at(14));
  bench.hand.lift();
  bench.hand.pressKey(key("Delete"));
  expect(bench.has()).toEqual({});
  const undo = key("z", { command: true });
  bench.hand.pressKey(undo);
  expect(bench.has()).toEqual({ BF: disk(14) });
  expect(bench.store.chosen).toBe("BF");
  bench.hand.pressKey(undo);
  expect(bench.has()).toEqual({ BF: disk(10) });
  expect(bench.store.canUndo).toBe(false);
  bench.hand.pressKey(undo);
  bench.hand.pressKey(key("Z", { command: true, shift: true }));
  expect(bench.has()).toEqual({ BF: disk(14) });
  bench.hand.pressKey(key("y", { command: true }));
  expect(bench.has()).toEqual({});
  expect(bench.last()).toEqual([["BF", null, true]]);
});

test("a click is no move, and can not be undone", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  bench.hand.drag(at(10.2));
  bench.hand.lift();
  expect(bench.store.chosen).toBe("BF");
  expect(bench.said).toEqual([]);
  expect(bench.store.canUndo).toBe(false);
});

test("arrows nudge; a key that is held down is one step back", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.store.choose("BF");
  expect(bench.hand.pressKey(key("ArrowRight"))).toBe(true);
  bench.hand.pressKey(key("ArrowRight", { repeat: true }));
  bench.hand.pressKey(key("ArrowRight", { repeat: true }));
  expect(bench.has()).toEqual({ BF: disk(13) });
  bench.hand.pressKey(key("ArrowUp", { shift: true }));
  expect(bench.has()).toEqual({ BF: { ...disk(13), cy: 10 } });
  bench.store.undo();
  bench.store.undo();
  expect(bench.has()).toEqual({ BF: disk(10) });
});

test("keys that mean nothing here are left to others", () => {
  const bench = new Bench(entry("BF", disk(10)));
  for (const name of ["Delete", "ArrowUp", "a", "Enter", "Escape"]) {
    expect(bench.hand.pressKey(key(name)), name).toBe(false);
  }
  expect(bench.hand.pressKey(key("s", { command: true }))).toBe(false);
});

test("Escape gives up a drag, then a tool, then the choice", () => {
  const bench = new Bench(entry("BF", disk(10)));
  bench.hand.press(at(10));
  bench.hand.drag(at(14));
  bench.tick();
  bench.hand.pressKey(key("Escape"));
  expect(bench.has()).toEqual({ BF: disk(10) });
  expect(bench.last()).toEqual([["BF", disk(10), true]]);
  bench.hand.drag(at(16));
  bench.hand.lift();
  expect(bench.has()).toEqual({ BF: disk(10) });
  bench.hand.take("disk");
  bench.hand.pressKey(key("Escape"));
  expect(bench.hand.tool).toBeNull();
  expect(bench.store.chosen).toBe("BF");
  bench.hand.pressKey(key("Escape"));
  expect(bench.store.chosen).toBeNull();
});

test("a drawing that is given up leaves nothing", () => {
  const bench = new Bench();
  bench.hand.take("annulus");
  bench.hand.press(at(10));
  bench.hand.drag(at(18));
  bench.tick();
  expect(bench.last()).toMatchObject([["annulus", { ri: 4, ro: 8 }, false]]);
  bench.hand.cancel();
  expect(bench.has()).toEqual({});
  expect(bench.last()).toEqual([["annulus", null, true]]);
  expect(bench.store.canUndo).toBe(false);
});

test("a drawn shape is chosen, and the tool put away", () => {
  const bench = new Bench();
  bench.hand.take("disk");
  bench.hand.press(at(10));
  bench.hand.drag(at(16));
  bench.hand.lift();
  expect(bench.has()).toEqual({ disk: disk(10, 6) });
  expect([bench.hand.tool, bench.store.chosen]).toEqual([null, "disk"]);
  bench.store.undo();
  expect(bench.has()).toEqual({});
});

test("a polygon is closed on its first corner, by Enter or by a double click", () => {
  for (const end of ["first", "enter", "twice"]) {
    const bench = new Bench();
    bench.hand.take("polygon");
    for (const [x, y] of [[10, 10], [30, 10], [30, 25.5]]) bench.hand.press(at(x, y)); // prettier-ignore
    bench.hand.press(at(12, 30));
    expect(bench.has()).toEqual({});
    bench.hand.pressKey(key("Backspace"));
    if (end === "first") bench.hand.press(at(10.5, 10.5));
    if (end === "enter") bench.hand.pressKey(key("Enter"));
    if (end === "twice") bench.hand.press(at(30, 25.5));
    expect(bench.has(), end).toEqual({
      polygon: { type: "polygon", points: [[10, 10], [30, 10], [30, 25.5]] }, // prettier-ignore
    });
    expect(bench.hand.corners).toEqual([]);
  }
});

test("the smaller of two shapes is taken, and handles of the chosen one before others", () => {
  const large: Shape = { type: "rectangle", cx: 20, cy: 20, width: 40, height: 40 };
  const bench = new Bench(entry("small", disk(10)), entry("large", large));
  expect(bench.hand.hitAt(at(10))).toEqual({ name: "small", grip: "inside" });
  expect(bench.hand.hitAt(at(30))).toEqual({ name: "large", grip: "inside" });
  expect(bench.hand.hitAt(at(15))).toEqual({ name: "small", grip: "r" });
  bench.get([entry("small", disk(40)), entry("large", large)]);
  bench.store.choose("large");
  expect(bench.hand.hitAt(at(40))).toEqual({ name: "large", grip: "e" });
});

test("another name is said as one that goes and an equal one that comes", () => {
  const bench = new Bench(entry("A", disk(10), 0), entry("B", disk(40), 1));
  bench.store.choose("A");
  bench.store.rename("A", "ring");
  expect([...bench.store.shapes.keys()]).toEqual(["ring", "B"]);
  expect(bench.store.shapes.get("ring")).toEqual({ shape: disk(10), colour: 0 });
  expect(bench.store.chosen).toBe("ring");
  expect(bench.last()).toEqual([["A", null, true], ["ring", disk(10), true]]); // prettier-ignore
  bench.store.rename("ring", "B");
  expect(Object.keys(bench.has())).toEqual(["ring", "B"]);
  bench.get([entry("ring", disk(10)), entry("B", disk(40), 1)], 1);
  bench.store.undo();
  expect(bench.has()).toEqual({ A: disk(10), B: disk(40) });
  expect(bench.last()).toEqual([["ring", null, true], ["A", disk(10), true]]); // prettier-ignore
  bench.store.redo();
  expect(bench.has()).toEqual({ ring: disk(10), B: disk(40) });
});

test("several shapes that come together go with one step back", () => {
  const bench = new Bench(entry("A", disk(10)));
  bench.store.setAll([["A", disk(20)], ["B", disk(30)], ["C", disk(40)]]); // prettier-ignore
  expect(bench.said).toHaveLength(1);
  expect(bench.has()).toEqual({ A: disk(20), B: disk(30), C: disk(40) });
  bench.store.undo();
  expect(bench.has()).toEqual({ A: disk(10) });
  expect(bench.store.canUndo).toBe(false);
});

test("sectors share no pixel and leave none of the ring out", () => {
  for (const n of [2, 3, 4, 7, 16]) {
    for (const ring of [
      { type: "annulus", cx: 15, cy: 16, ri: 4, ro: 12 } as const,
      { type: "annulus", cx: 15.5, cy: 14.25, ri: 0, ro: 9.5 } as const,
    ]) {
      const parts = sectors(ring, n).map((sector) => mask(sector, [32, 32]));
      const all = mask(ring, [32, 32]);
      const sum = all.map((_, i) => parts.reduce((count, part) => count + part[i], 0));
      expect(sum, `${n}`).toEqual(all);
      expect(parts.every((part) => part.some((pixel) => pixel === 1))).toBe(true);
    }
  }
});

test("parts have names that can stand in a formula", () => {
  expect(namesOfParts("BF", 2)).toEqual(["BF1", "BF2"]);
  expect(namesOfParts("ring2", 2)).toEqual(["ring2_1", "ring2_2"]);
});

test("names that cannot be are refused in words", () => {
  const others = ["A", "B"];
  expect(refusalOfName("C", "A", others)).toBe("");
  expect(refusalOfName(" A ", "A", others)).toBe("");
  expect(refusalOfName(" B ", "A", others)).toBe('there is a shape "B" already: choose another name');
  expect(refusalOfName("  ", "A", others)).toBe("a name has at least one character");
  expect(refusalOfName("x".repeat(61), "A", others)).toBe("a name has up to 60 characters, not 61");
  expect(refusalOfName("\u{1f52c}".repeat(60), "A", others)).toBe("");
});
