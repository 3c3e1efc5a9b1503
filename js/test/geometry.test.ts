import { expect, test } from "vitest";
import { carried, inside, isWhole, pan, place, touched, union, zoom } from "../src/picture/geometry";

const ALL = { x0: 0, x1: 100, y0: 0, y1: 50 };
const CENTRE = { x: 0.5, y: 0.5 };

test("zooming keeps the point under the pointer", () => {
  const near = zoom(ALL, 0.5, { x: 0.25, y: 0.75 }, 100, 50);
  expect(near.x0 + 0.25 * (near.x1 - near.x0)).toBeCloseTo(25);
  expect(near.y0 + 0.75 * (near.y1 - near.y0)).toBeCloseTo(37.5);
});

test("what rests on the screen is over another place of another window", () => {
  const near = { x0: 20, x1: 40, y0: 10, y1: 20 };
  expect(carried({ x: 25, y: 40 }, ALL, near)).toEqual({ x: 25, y: 18 });
  expect(carried({ x: 25, y: 18 }, near, ALL)).toEqual({ x: 25, y: 40 });
});

test("zooming keeps pixels square", () => {
  const near = zoom(ALL, 1 / 1000, CENTRE, 100, 50);
  expect((near.x1 - near.x0) / (near.y1 - near.y0)).toBeCloseTo(2);
  expect(near.y1 - near.y0).toBeCloseTo(2);
});

test("zooming out ends with the whole image", () => {
  const near = zoom(ALL, 0.3, { x: 0.9, y: 0.1 }, 100, 50);
  const far = zoom(near, 100, CENTRE, 100, 50);
  expect(isWhole(far, 100, 50)).toBe(true);
  expect(far).toEqual(ALL);
});

test("panning stops at the edges", () => {
  const near = { x0: 10, x1: 30, y0: 0, y1: 10 };
  expect(pan(near, 9, -0.5, 100, 50)).toEqual({ x0: 0, x1: 20, y0: 5, y1: 15 });
});

test("a window larger than the image becomes the image", () => {
  expect(inside({ x0: -5, x1: 300, y0: 3, y1: 60 }, 100, 50)).toEqual(ALL);
});

test("a box is placed by its share of the window", () => {
  const box = { x: 50, y: 0, width: 50, height: 25 };
  expect(place(box, ALL, 200, 200)).toEqual({ x: 100, y: 0, width: 100, height: 100 });
});

test("touched pixels are whole ones inside the image", () => {
  expect(touched({ x0: 1.5, x1: 3.2, y0: -1, y1: 60 }, 100, 50)).toEqual([0, 1, 50, 3]);
});

test("a union steps over nothing", () => {
  expect(union([0, 0, 0, 0], [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
  expect(union([1, 2, 3, 4], [5, 0, 1, 1])).toEqual([1, 0, 5, 6]);
});
