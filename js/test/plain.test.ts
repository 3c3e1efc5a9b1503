import { expect, test } from "vitest";
import { outline } from "../src/picture/plain";

test.each([
  [[1, 3, 2], "M0,1L0.5,0L1,0.5"],
  [[0, NaN, NaN, 1, 0], "M0,1M0.75,0L1,1"],
  [[4, 4], "M0,1L1,1"],
  [[7], "M0,1"],
  [[], ""],
])("outline of %j", (numbers, d) => {
  expect(outline(numbers)).toBe(d);
});
