import { expect, test } from "vitest";
import { sizeText } from "../src/picture/readout";
import type { Settings } from "../src/page/settings";

test.each<[Settings["units"], string]>([
  [[null, null], ""],
  [[[2.5, "nm"], [2.5, "nm"]], "of 2.5 nm"],
  [[[2, "nm"], [3, "nm"]], "of 2 nm along y and 3 nm along x"],
  [[[2, "nm"], [2, "mrad"]], "of 2 nm along y and 2 mrad along x"],
  [[[2, "nm"], null], "of 2 nm along y"],
  [[null, [0.123456, "1/nm"]], "of 0.1235 1/nm along x"],
])("pixels of %j are %s", (units, expected) => {
  expect(sizeText(units)).toBe(expected);
});
