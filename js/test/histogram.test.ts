import { expect, test } from "vitest";
import { Counts, rangeOf, valueAt } from "../src/picture/histogram";
import { place } from "../src/picture/colour";
import { ImageStore } from "../src/wire/store";
import { bits, frame } from "./frames";

/** An image of one row, of which code n stands for n - 1. */
function counted(codes: number[], covered: number[] | null = null): Counts {
  const store = new ImageStore("nav");
  const { part, buffers } = frame([1, codes.length], [0, 0, 1, codes.length], codes);
  const more = covered ? [...buffers, bits(covered, codes.length)] : buffers;
  store.apply({ ...part, coverage: covered ? 1 : null }, more);
  return new Counts(store);
}

test("what has no value, or is not in, is not counted", () => {
  const counts = counted([0, 1, 1, 3, 9], [0, 1, 2, 3]);
  expect(counts.total).toBe(3);
  expect([...counts.bars([0, 4], false, 4)]).toEqual([2, 0, 1, 0]);
});

test("what lies beyond the range is in no bar, and its ends are in one", () => {
  expect([...counted([1, 5, 11, 12]).bars([0, 10], false, 2)]).toEqual([2, 1]);
});

test("percentiles are values that occur", () => {
  const counts = counted(Array.from({ length: 100 }, (_, i) => i + 1));
  expect([0, 1, 50, 99, 100].map((p) => counts.percentile(p))).toEqual([0, 0, 49, 98, 99]);
  expect(counted([0, 0]).percentile(50)).toBeNaN();
});

test("one hot pixel does not make the range", () => {
  const many = Array.from({ length: 2000 }, (_, i) => 1 + (i % 100));
  const [lo, hi] = rangeOf(counted([...many, 60001]), [0, 80]);
  expect(lo).toBeLessThan(0);
  expect(hi).toBeGreaterThan(99);
  expect(hi).toBeLessThan(120);
  expect(rangeOf(counted([...many, 60001]), [0, 60000])[1]).toBeGreaterThan(60000);
  expect(rangeOf(counted([0]), [3, 5])[1]).toBeGreaterThan(5);
});

test.each([
  [0, 10, false],
  [1, 1000, true],
  [-5, 20, true],
  [0, 8, true],
])("a value is found again from its place between %s and %s, log: %s", (lo, hi, log) => {
  for (const t of [0, 0.2, 0.5, 0.99, 1]) {
    expect(place(valueAt(t, [lo, hi], log), lo, hi, log)).toBeCloseTo(t, 9);
  }
});
