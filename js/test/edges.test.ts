import { expect, test } from "vitest";
import { between, edgeOf } from "../src/picture/edges";
import type { Scale } from "../src/page/settings";

const texts = (...given: Parameters<typeof edgeOf>): string =>
  [edgeOf(...given)]
    .map(({ ticks, unit }) => [...ticks.map(({ text }) => text), unit].join(" ").trimEnd())
    .join();

test.each<[[number, number], number, Scale | null, boolean, number, string]>([
  [[0, 64], 300, null, false, 0, "0 10 20 30 40 50 60"],
  [[0, 64], 300, null, true, 0, "0 10 20 30 40 50 60"],
  [[0, 64], 90, null, false, 0, "0 50"],
  [[3, 5], 300, null, false, 0, "3 4"],
  [[0, 32], 300, [2.5, "nm"], false, 0, "0 10 20 30 40 50 60 70 nm"],
  [[10, 14], 300, [2.5, "nm"], false, 0, "24 26 28 30 32 nm"],
  [[0, 256], 300, [0.0123, "1/nm"], false, 0, "0.0 0.5 1.0 1.5 2.0 2.5 3.0 nm\u207b\u00b9"],
  [[0, 4096], 300, [5, "nm"], true, 0, "0 2 4 6 8 10 12 14 16 18 20 µm"],
  [[0, 64], 300, [2.5e-10, "m"], false, 0, "0 2 4 6 8 10 12 14 1e\u22129 m"],
  [[0, 4096], 90, [0.3, "nm"], false, 0, "0 500 1000 nm"],
  // Of a transform of even length frequency 0 is right of the middle.
  [[0, 64], 300, [0.5, "1/nm"], false, 32, "\u221215 \u221210 \u22125 0 5 10 15 nm\u207b\u00b9"],
  // Rounding leaves no negative zero.
  [[0, 64], 300, [0.1, "nm"], true, 32, "\u22123 \u22122 \u22121 0 1 2 3 nm"],
])("an edge that shows %j on %d pixels", (window, length, scale, isUpright, origin, expected) => {
  expect(texts(window, length, scale, isUpright, origin)).toBe(expected);
});

test("a number stands at the centre of its pixel", () => {
  const { ticks } = edgeOf([0, 4], 300, null, false);
  expect(ticks.map(({ at }) => at)).toEqual([0.125, 0.375, 0.625, 0.875]);
  const units = edgeOf([8, 24], 300, [2.5, "nm"], false);
  for (const { at, text } of units.ticks) {
    expect((8 + at * 16 - 0.5) * 2.5).toBeCloseTo(Number(text), 9);
  }
});

test.each<[[number, number], Scale | null]>([
  [[40, 10], null],
  [[40, 10], [2.5, "nm"]],
  [[5, 5], null],
  [[5, 5], [2.5, "nm"]],
  [[NaN, 5], null],
  [[0, 5], [0, "nm"]],
  [[0, 5], [-1, "nm"]],
])("an edge that shows %j of pixels of %j has no numbers", (window, scale) => {
  for (const isUpright of [false, true]) {
    expect(edgeOf(window, 300, scale, isUpright)).toEqual({ ticks: [], unit: "" });
  }
});

test.each<[[number, number], Scale, number, string]>([
  [[2499, 2503], [1, "nm"], 0, "2498.5 2499.0 2499.5 2500.0 2500.5 2501.0 2501.5 2502.0 2502.5 nm"],
  // With a sign there would be seven, and halves are left out.
  [[2499, 2503], [1, "nm"], 5000, "\u22122501 \u22122500 \u22122499 \u22122498 nm"],
  [[2499, 2503], [0.004, "mrad"], 5000, "\u221210.00 \u22129.99 mrad"],
])("numbers beside %j of pixels of %j have room in the margin", (window, scale, origin, expected) => {
  expect(texts(window, 300, scale, true, origin, 37)).toBe(expected);
});

test("a number that has no room beside an edge is not cut off", () => {
  expect(texts([2499, 2503], 300, [1, "nm"], true, 0, 20)).toBe("nm");
});

test("a number below an edge covers neither the corner nor the unit at the end", () => {
  const edge = { ticks: [0, 0.1, 0.5, 0.86].map((at) => ({ at, text: "2499.0" })), unit: "nm" };
  const shown = between(edge, [44, 200], [40, 244 - 3 * 6.2]);
  expect(shown).toEqual([
    { place: 64, text: "2499.0" },
    { place: 144, text: "2499.0" },
  ]);
});
