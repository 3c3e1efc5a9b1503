import { expect, test } from "vitest";
import { sliceTitle } from "../src/picture/slices";

test.each([
  ["mask", 3, [9], "mask 3"],
  ["", 3, [9], "[3]"],
  ["", 6, [2, 4], "[1, 2]"],
  ["", 23, [2, 3, 4], "[1, 2, 3]"],
] as const)("slice %s %i of %j is %s", (name, index, axes, title) => {
  expect(sliceTitle(name, index, axes)).toBe(title);
});
