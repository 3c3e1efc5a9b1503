import { describe, expect, test } from "vitest";
import { newsOf } from "../src/card/told";
import { scaleOf } from "../src/closer/length";
import { groupOf, type Member } from "../src/closer/link";
import { angleOf, lengthOf, plainOf, profileOf, rulerOf, type Ruler } from "../src/closer/profile";
import type { Window } from "../src/picture/geometry";

const RULER: Ruler = { x0: 1, y0: 2, x1: 4, y1: 6, width: 1 };
const SHAPE = [20, 30] as const;
const plane = (y: number, x: number): number => 2 * x + 3 * y;

describe("a profile", () => {
  test("has a point for each pixel, and the values between pixels", () => {
    const { distances, values } = profileOf(RULER, SHAPE, plane);
    expect([...distances]).toEqual([0, 1, 2, 3, 4, 5]);
    distances.forEach((at, i) => expect(values[i]).toBeCloseTo(8 + at * (2 * 0.6 + 3 * 0.8)));
  });

  test("is the mean across its width, and of what there is", () => {
    const across = { x0: 2, y0: 5, x1: 9, y1: 5, width: 3 };
    const rows = (y: number): number | null => (y === 4 ? null : y);
    expect([...profileOf(across, SHAPE, rows).values]).toEqual(Array(8).fill(5.5));
    expect([...profileOf(across, SHAPE, () => null).values]).toEqual(Array(8).fill(NaN));
  });

  test("has no values outside of the image", () => {
    const { values } = profileOf({ x0: 28, y0: 0, x1: 32, y1: 0, width: 1 }, SHAPE, plane);
    expect([...values].map(Number.isNaN)).toEqual([false, false, true, true, true]);
  });
});

test("length and angle are those of the screen, in units where pixels have any", () => {
  expect(lengthOf(RULER)).toBe(5);
  expect(angleOf(RULER)).toBeCloseTo(53.13);
  expect(scaleOf(RULER, [[2, "nm"], [2, "nm"]])).toEqual([2, "nm"]);
  expect(scaleOf(RULER, [[1, "nm"], [2, "nm"]])[0]).toBeCloseTo(Math.hypot(6, 4) / 5);
  expect(scaleOf(RULER, [[1, "nm"], [2, "mrad"]])).toEqual([1, "px"]);
  expect(scaleOf(RULER, [null, [2, "nm"]])).toEqual([1, "px"]);
});

test("a ruler is plain numbers", () => {
  expect(rulerOf(plainOf(RULER))).toEqual(RULER);
  for (const odd of [undefined, [], [1, 2, 3], [1, 2, 3, 4, NaN]]) expect(rulerOf(odd)).toBeNull();
});

const ALL: Window = { x0: 0, x1: 30, y0: 0, y1: 20 };
const PART: Window = { x0: 3, x1: 18, y0: 2, y1: 12 };

class Image implements Member {
  linked = true;
  at: unknown = null;
  private readonly callbacks: (() => void)[] = [];
  readonly axes = {
    get: () => this.window,
    set: (window: Window) => {
      // As two scales of a figure: one after the other.
      this.window = { ...this.window, x0: window.x0, x1: window.x1 };
      this.tell();
      this.window = window;
      this.tell();
    },
    onChange: (callback: () => void) => void this.callbacks.push(callback),
  };
  constructor(public window: Window = ALL) {}
  tell(): void {
    for (const callback of this.callbacks) callback();
  }
  isLinked(): boolean {
    return this.linked;
  }
  point(at: unknown): void {
    this.at = at;
  }
}

function together(...images: Image[]): { images: Image[]; end: AbortController } {
  const end = new AbortController();
  const group = groupOf({} as Element, "nav");
  for (const image of images) group.join(image, SHAPE, end.signal);
  return { images, end };
}

describe("images of the same axes", () => {
  test("show the same part", () => {
    const [a, b, c] = together(new Image(), new Image(), new Image()).images;
    b.axes.set(PART);
    expect([a.window, c.window]).toEqual([PART, PART]);
    a.axes.set(ALL);
    expect([b.window, c.window]).toEqual([ALL, ALL]);
  });

  test("leave alone who is not linked, and do not follow him", () => {
    const [a, b] = together(new Image(), new Image()).images;
    b.linked = false;
    a.axes.set(PART);
    expect(b.window).toEqual(ALL);
    b.axes.set({ ...PART, x0: 5 });
    expect(a.window).toEqual(PART);
  });

  test("begin where the others are, whoever comes first", () => {
    for (const images of [[new Image(PART), new Image()], [new Image(), new Image(PART)]]) {
      expect(together(...images).images.map((each) => each.window)).toEqual([PART, PART]);
    }
  });

  test("are not led by a figure that only says what it shows", () => {
    const [a, b] = together(new Image(), new Image()).images;
    a.axes.set(PART);
    b.linked = false;
    b.window = ALL;
    b.tell();
    b.linked = true;
    b.tell(); // what it had said before
    expect(a.window).toEqual(PART);
  });

  test("show where the pointer is on one of them", () => {
    const group = groupOf({} as Element, "sig");
    const [a, b] = [new Image(), new Image()];
    const { signal } = new AbortController();
    for (const each of [a, b]) group.join(each, SHAPE, signal);
    group.point(a, { x: 3, y: 4 });
    expect([a.at, b.at]).toEqual([null, { x: 3, y: 4 }]);
  });
});

const status = (state: string, fraction: number, message = "", sequence = 3) =>
  ({ sequence, state, fraction, frames_done: 4096, message }) as Parameters<typeof newsOf>[1];
const told = (from: Parameters<typeof newsOf>[1] | null, to: Parameters<typeof newsOf>[1]) =>
  newsOf(from, to, "Sum");

test("a reader is told of quarters, of the end, and of errors at once", () => {
  const running = (fraction: number) => status("running", fraction);
  expect(told(null, running(0.6))).toBeNull();
  expect(told(running(0.1), running(0.24))).toBeNull();
  expect(told(running(0.24), running(0.26))?.text).toBe("Sum: 25 %");
  expect(told(running(0.24), running(0.8))?.text).toBe("Sum: 75 %");
  expect(told(running(0.8), running(1))).toBeNull(); // the end says so
  expect(told(running(0.8), status("done", 1))).toEqual({ text: "Sum: done, 4096 frames", isUrgent: false });
  expect(told(running(0.8), status("cancelled", 0.8))?.text).toBe("Sum: cancelled at 80 %");
  expect(told(running(0.8), status("failed", 0.8, "ValueError: odd"))).toEqual({
    text: "Sum: ValueError: odd",
    isUrgent: true,
  });
  expect(told(status("paused", 0.3), running(0.3))?.text).toBe("Sum: goes on");
  expect(told(status("done", 1), running(0))).toBeNull();
  // Over before it is in sight, and saved with the notebook.
  expect(told(null, status("done", 1))?.text).toBe("Sum: done, 4096 frames");
  expect(told(null, status("failed", 0, "odd"))).toEqual({ text: "Sum: odd", isUrgent: true });
  expect(told(null, status("failed", 0, "odd", 0))).toBeNull();
});
