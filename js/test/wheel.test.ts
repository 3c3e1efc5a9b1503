import { expect, test } from "vitest";
import { means } from "../src/picture/arrows";
import { palette, table } from "../src/picture/colour";
import { angle, hues, mixed } from "../src/picture/wheel";
import { ImageStore } from "../src/wire/store";
import { frame } from "./frames";
import vectors from "./vectors.json";

const CONTRAST = { lo: 0, hi: 1, log: false, gamma: 0.7 };

class Pixels {
  readonly data: Uint8ClampedArray;
  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}
Object.assign(globalThis, { ImageData: Pixels });

test("the grey map is its own level", () => {
  expect([...table("gray")]).toEqual(Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)));
});

test.each(vectors.tints)("pixels with a tint are those of Python: %#", ({ codes, tint, rgb }) => {
  const isOwn = tint.length > codes.length;
  const colours = palette({ lo: 0, hi: 1, curve: null }, CONTRAST, "gray", [1, 2, 3]);
  const image = mixed(
    Uint16Array.from(codes),
    isOwn ? Uint8Array.from(tint) : Uint16Array.from(tint),
    codes.length,
    [0, 0, 1, codes.length],
    colours,
    isOwn ? null : hues("phase"),
  );
  const seen = codes.map((_, i) => [...image.data.slice(4 * i, 4 * i + 3)]);
  expect(seen).toEqual(rgb);
});

function wheel(grid: [number, number], codes: number[], tint: number[]): ImageStore {
  const store = new ImageStore("sig");
  const { part, buffers } = frame(grid, [0, 0, ...grid], codes, { colours: "wheel", tint: 1 });
  store.apply(part, [...buffers, new DataView(Uint16Array.from(tint).buffer)]);
  return store;
}

test("arrows are means of cells, without what has no value", () => {
  const [right, down] = [32768, 49151];
  const store = wheel([2, 4], [11, 11, 21, 0, 11, 11, 21, 21], [right, right, down, 9, right, right, down, down]);
  const [a, b] = means(store, 2, [0, 0, 2, 4]);
  expect(a.dx).toBeCloseTo(10, 1);
  expect(a.dy).toBeCloseTo(0, 1);
  expect([a.x, a.y, b.x, b.y]).toEqual([1, 1, 3, 1]);
  expect(b.dy).toBeCloseTo(20, 1);
  expect(angle(down)).toBeCloseTo(Math.PI / 2, 3);
});

test("a part of the directions is put in its place, and told", () => {
  const store = wheel([2, 2], [1, 2, 3, 4], [10, 20, 30, 40]);
  const more = { sequence: 2, whole: false, colours: "wheel", tint: 1 } as const;
  const { part, buffers } = frame([2, 2], [1, 1, 1, 1], [9], more);
  expect(store.apply(part, [...buffers, new DataView(Uint16Array.from([50]).buffer)])).toBe(true);
  expect([...(store.tint ?? [])]).toEqual([10, 20, 30, 50]);
  expect(store.tintAt(1, 1)).toEqual([50]);
  const map = frame([2, 2], [0, 0, 2, 2], [1, 2, 3, 4], { sequence: 3 });
  store.apply(map.part, map.buffers);
  expect(store.tint).toBeNull();
});

test("colours of their own have three bytes", () => {
  const store = new ImageStore("sig");
  const { part, buffers } = frame([1, 2], [0, 0, 1, 2], [7, 8], { colours: "own", tint: 1 });
  store.apply(part, [...buffers, new DataView(Uint8Array.from([1, 2, 3, 4, 5, 6]).buffer)]);
  expect(store.tintAt(0, 1)).toEqual([4, 5, 6]);
});
