import { describe, expect, it } from "vitest";

import { ticks } from "../src/picture/bar";

const between = (lo: number, hi: number, log = false): number[] =>
  ticks({ lo, hi, log, gamma: 1 }).map((v) => Number(v.toPrecision(6)));

describe("ticks of a colour bar", () => {
  it("are round and inside", () => {
    expect(between(0, 10)).toEqual([2, 4, 6, 8]);
    expect(between(-0.31, 0.31)).toEqual([-0.2, 0, 0.2]);
    expect(between(11_500, 25_400)).toEqual([15_000, 20_000, 25_000]);
    expect(between(1e-9, 3e-9)).toEqual([1.5e-9, 2e-9, 2.5e-9]);
  });

  it("are decades on a logarithmic scale", () => {
    expect(between(30, 2e6, true)).toEqual([100, 1000, 1e4, 1e5, 1e6]);
    expect(between(200, 500, true)).toEqual([300, 400]);
    expect(between(-5, 5, true)).toEqual([0]);
    expect(between(0, 5, true)).toEqual([]);
  });
});
