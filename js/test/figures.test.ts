import { expect, test } from "vitest";
import table from "../../tests/geometry/examples.json";
import {
  boundsOf,
  FIELDS,
  KINDS,
  moved,
  numberOf,
  refusalOf,
  rounded,
  toNumber,
  withNumber,
  type Shape,
} from "../src/shapes/figures";

const shapes = table.examples.map(({ shape }) => shape as unknown as Shape);
const annulus: Shape = { type: "annulus", cx: 1, cy: 2, ri: 3, ro: 5 };

test("the kinds and their fields are those of Python", () => {
  expect(new Set(shapes.map(({ type }) => type))).toEqual(new Set(KINDS));
  for (const shape of shapes) {
    const fields = Object.keys(shape).filter((name) => name !== "type" && name !== "points");
    expect(FIELDS[shape.type].filter((name) => fields.includes(name))).toEqual(fields);
  }
});

test("a field changes one number; that of points moves all of them", () => {
  for (const shape of shapes) {
    for (const field of FIELDS[shape.type]) {
      const changed = withNumber(shape, field, 4);
      if (Math.abs(boundsOf(shape).right) < 1e6) expect(numberOf(changed, field)).toBeCloseTo(4, 8);
      expect(changed.type).toBe(shape.type);
    }
  }
  const lasso: Shape = { type: "lasso", points: [[0, 0], [4, 0], [4, 2]] }; // prettier-ignore
  expect(withNumber(lasso, "cx", 3)).toEqual({ type: "lasso", points: [[1, 0], [5, 0], [5, 2]] }); // prettier-ignore
});

test.each([
  ["ri", "6", "ri (6) has to be no larger than ro (5)"],
  ["ro", "2", "ri (3) has to be no larger than ro (2)"],
  ["ro", "-2", "ro (-2) has to be 0 or more"],
  ["cx", "NaN", "cx is no number: type one, such as 12.5"],
  ["cx", "", "cx is no number: type one, such as 12.5"],
  ["cx", "1e400", "cx (1e400) is too far out"],
  ["cy", "-3.5", ""],
  ["ri", "5", ""],
])("%s = %j is refused in words: %j", (field, text, why) => {
  expect(refusalOf(annulus, field, text)).toBe(why);
});

test.each([
  ["12", 12],
  [" -1.5 ", -1.5],
  ["1,5", 1.5],
  ["−3", -3],
  [".5", 0.5],
  ["1e-3", 0.001],
])("%j is read as %d", (text, value) => {
  expect(toNumber(text)).toBe(value);
});

test.each(["", "abc", "Infinity", "0x10", "1 2", "1.2.3", "-"])("%j is no number", (text) => {
  expect(toNumber(text)).toBeNaN();
});

test("rounding leaves numbers that can be read", () => {
  expect(rounded({ type: "disk", cx: 1.23456, cy: -0.001, r: 3 })).toEqual({
    type: "disk",
    cx: 1.23,
    cy: 0,
    r: 3,
  });
  expect(Object.is(rounded({ type: "point", cx: -0.001, cy: 0 }).cx, 0)).toBe(true);
});

test("moving there and back gives the same", () => {
  for (const shape of shapes) expect(moved(moved(shape, 4, -2), 0, 0).type).toBe(shape.type);
  expect(moved(annulus, 1, -1)).toEqual({ ...annulus, cx: 2, cy: 1 });
});
