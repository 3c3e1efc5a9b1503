import { expect, test } from "vitest";
import { decode, precision, readBits, readCodes } from "../src/wire/codec";
import { COLORMAPS, centred, level, palette, table } from "../src/picture/colour";
import type { Curve } from "../src/wire/protocol";
import vectors from "./vectors.json";

test.each(vectors.levels)("levels are those of Python: $name", (each) => {
  const [lo, hi] = each.limits;
  const contrast = { lo, hi, log: each.log, gamma: each.gamma };
  expect(each.values.map((v) => level(v ?? NaN, contrast))).toEqual(each.levels);
});

test.each(vectors.codes)("decoded values are those of Python: $name", ({ codes, values, ...e }) => {
  const encoding = { ...e, curve: e.curve as Curve | null };
  codes.forEach((code, i) => {
    const error = Math.abs(decode(code, encoding) - values[i]);
    expect(error).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(values[i])));
  });
});

test("code 0 has no value", () => {
  expect(decode(0, { lo: 0, hi: 1, curve: null })).toBeNaN();
});

const CURVES: { curve: Curve | null }[] = [
  { curve: null },
  { curve: [10, 2, 0, 20] },
  { curve: [0, 0.02, -3, 20] },
];

test.each(CURVES)("a palette is the level of every code: %j", ({ curve }) => {
  const encoding = { lo: -3, hi: 40, curve };
  for (const log of [false, true]) {
    const contrast = { lo: 0, hi: 20, log, gamma: 1 };
    const colours = palette(encoding, contrast, "magma", [1, 2, 3]);
    const rgb = table("magma");
    expect(colours[0]).toBe(0xff030201);
    for (let code = 1; code < 65536; code += 97) {
      const row = level(decode(code, encoding), contrast) * 3;
      expect(colours[code] & 255).toBe(rgb[row]);
      expect((colours[code] >> 8) & 255).toBe(rgb[row + 1]);
      expect((colours[code] >> 16) & 255).toBe(rgb[row + 2]);
    }
  }
});

test("zero is in the middle of a diverging map", () => {
  expect(centred([-2, 5], "vik")).toEqual([-5, 5]);
  expect(centred([-7, 5], "RdBu_r")).toEqual([-7, 7]);
  expect(centred([-2, 5], "viridis_r")).toEqual([-2, 5]);
});

test("a map from its other end", () => {
  const [straight, reversed] = [table("vik"), table("vik_r")];
  expect([...reversed.slice(0, 3)]).toEqual([...straight.slice(765)]);
  expect([...reversed.slice(765)]).toEqual([...straight.slice(0, 3)]);
});

test("every colour map has 256 rows", () => {
  for (const name of COLORMAPS) expect(table(name)).toHaveLength(768);
});

test("whole numbers are exact", () => {
  const encoding = { lo: 0, hi: 65534, curve: null };
  expect(decode(1235, encoding)).toBe(1234);
  expect(precision(1235, encoding)).toBe(0.5);
});

test("codes are read at odd offsets", () => {
  const bytes = new Uint8Array([9, 1, 0, 0, 1]);
  expect([...readCodes(new DataView(bytes.buffer, 1, 4))]).toEqual([1, 256]);
});

test("bits are read lowest first", () => {
  const bytes = new DataView(new Uint8Array([0b101, 0b1]).buffer);
  expect([...readBits(bytes, 9)]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1]);
});
