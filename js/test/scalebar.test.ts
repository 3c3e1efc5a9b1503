import { expect, test } from "vitest";
import { placeText, valueText } from "../src/picture/readout";
import { lengthOf } from "../src/picture/scalebar";

const plain = (text: string): string => text.replaceAll("\u2212", "-");

test.each([
  // nm per CSS pixel, unit, CSS pixels that there are: the longest of 1, 2, 5, 10 that fits.
  [1, "nm", 100, 100, "100 nm"],
  [1, "nm", 99.9, 50, "50 nm"],
  [0.3, "nm", 100, 100 / 1.5, "20 nm"],
  [0.1, "nm", 3, 2, "0.2 nm"],
  [25, "nm", 100, 80, "2 µm"],
  [0.001, "1/nm", 100, 100, "0.1 nm\u207b\u00b9"],
  [0.4, "mrad", 160, 125, "50 mrad"],
  [40, "mrad", 160, 125, "5000 mrad"],
])("a bar of %d %s on %d pixels", (perPixel, unit, most, width, text) => {
  const found = lengthOf(perPixel, unit, most);
  expect(found.width).toBeCloseTo(width, 6);
  expect(found.width).toBeLessThanOrEqual(most * (1 + 1e-6));
  expect(found.text).toBe(text);
});

test("a place is told in pixels, and in units where it has any", () => {
  expect(placeText(32, 38, [null, null])).toBe("y 32, x 38");
  expect(placeText(32, 38, [[2.5, "nm"], null])).toBe("y 32 px = 80.0 nm, x 38");
  expect(placeText(3, 4, [
    [0.0123, "1/nm"],
    [0.0123, "1/nm"],
  ])).toBe("y 3 px = 0.037 nm\u207b\u00b9, x 4 px = 0.049 nm\u207b\u00b9");
  expect(placeText(3, 4, [[120, "nm"], [120, "nm"]])).toBe("y 3 px = 360 nm, x 4 px = 480 nm");
});

test("a value has its unit, and others where these are known", () => {
  expect(valueText(1234, "1234", [])).toBe("1234");
  expect(valueText(-1.5, "-1.500", [[1, "px"]])).toBe("-1.500 px");
  const units: [number, string][] = [
    [1, "px"],
    [0.4, "mrad"],
  ];
  expect(plain(valueText(-1.5, "-1.500", units))).toBe("-1.500 px = -0.6 mrad");
  expect(valueText(NaN, "no value", units)).toBe("no value");
});
