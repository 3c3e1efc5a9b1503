import { expect, test } from "vitest";
import { direction } from "../src/shapes/directions";
import type { Shape } from "../src/shapes/figures";
import table from "../../tests/geometry/examples.json";
import { countPixels, mask, outline } from "../src/shapes/pixels";

interface Example {
  frame: [number, number];
  shape: Shape;
  runs: [y: number, first: number, stop: number][];
}

const { directions, examples } = table as unknown as {
  directions: [number, number, number][];
  examples: Example[];
};

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

test("directions are those of Python, bit by bit", () => {
  for (const [degrees, cosine, sine] of directions) {
    expect(direction(degrees), `of ${degrees}`).toEqual([cosine, sine]);
  }
});

test("the same pixels belong to a shape as in Python", () => {
  expect(examples.length).toBeGreaterThan(100);
  for (const { frame, shape, runs } of examples) {
    const expected = new Uint8Array(frame[0] * frame[1]);
    for (const [y, first, stop] of runs) expected.fill(1, y * frame[1] + first, y * frame[1] + stop);
    const found = mask(shape, frame);
    expect(isSame(found, expected), JSON.stringify(shape)).toBe(true);
    expect(countPixels(shape, frame)).toBe(expected.reduce((sum, one) => sum + one, 0));
  }
});

test("outlines go along the edges of the pixels that belong", () => {
  const window = { left: 0, top: 0, right: 16, bottom: 16 };
  const point: Shape = { type: "point", cx: 3, cy: 5 };
  expect(outline(point, window)).toEqual([
    [3, 5, 4, 5],
    [3, 6, 4, 6],
    [3, 5, 3, 6],
    [4, 5, 4, 6],
  ]);
  expect(outline({ type: "disk", cx: 40, cy: 40, r: 3 }, window)).toEqual([]);
});

test("outlines enclose exactly the mask", () => {
  const size: [number, number] = [24, 32];
  const window = { left: 0, top: 0, right: size[1], bottom: size[0] };
  for (const { frame, shape } of examples) {
    if (frame[0] !== size[0] || frame[1] !== size[1]) continue;
    const crossed = new Uint8Array(size[0] * size[1]);
    const uprights = outline(shape, window).filter(([x1, , x2]) => x1 === x2);
    for (const [x, y1, , y2] of uprights) {
      for (let y = y1; y < y2; y++) for (let at = x; at < size[1]; at++) crossed[y * size[1] + at] ^= 1;
    }
    expect(isSame(crossed, mask(shape, size)), JSON.stringify(shape)).toBe(true);
  }
});
