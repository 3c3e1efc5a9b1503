import { expect, test } from "vitest";
import { boundsOf, centreOf, KINDS, type Kind, type Pair, type Position, type Shape } from "../src/shapes/figures";
import { gripAt, handlesOf, INSIDE, pull, spanOf } from "../src/shapes/grips";
import { drawn, thinned } from "../src/shapes/tools";

const [REACH, UNIT] = [1, 0.1];
const SHAPES: Record<Kind, Shape> = {
  point: { type: "point", cx: 30, cy: 20 },
  disk: { type: "disk", cx: 30, cy: 20, r: 10 },
  annulus: { type: "annulus", cx: 30, cy: 20, ri: 5, ro: 10 },
  sector: { type: "sector", cx: 30, cy: 20, ri: 4, ro: 12, start: 0, stop: 90 },
  rectangle: { type: "rectangle", cx: 30, cy: 20, width: 20, height: 10 },
  ellipse: { type: "ellipse", cx: 30, cy: 20, rx: 10, ry: 5, angle: 90 },
  polygon: { type: "polygon", points: [[20, 10], [40, 10], [40, 30], [20, 30]] }, // prettier-ignore
  lasso: { type: "lasso", points: [[20, 10], [40, 10], [40, 30], [20, 30]] }, // prettier-ignore
  brush: { type: "brush", points: [[20, 20], [40, 20]], r: 4 }, // prettier-ignore
};
const at = (x: number, y: number): Position => ({ x, y });
const grip = (kind: Kind, x: number, y: number, chosen = true): string | null =>
  gripAt(SHAPES[kind], { x, y, reach: REACH, unit: UNIT }, chosen);
const pulled = (kind: Kind, name: string, from: Pair, to: Pair, regular = false): Shape =>
  pull(SHAPES[kind], name, at(...from), at(...to), regular);

test("a grip is found inside, on rims and at handles", () => {
  expect(grip("point", 31, 20)).toBe(INSIDE);
  expect(grip("disk", 30, 20)).toBe(INSIDE);
  expect(grip("disk", 40.5, 20)).toBe("r");
  expect(grip("disk", 37.5, 27.5, false)).toBe("r");
  expect(grip("disk", 45, 20)).toBeNull();
  expect(grip("annulus", 37.5, 20)).toBe(INSIDE);
  expect(grip("annulus", 35, 20)).toBe("ri");
  expect(grip("annulus", 39.5, 20)).toBe("ro");
  expect(grip("annulus", 32, 20)).toBeNull(); // the hole belongs to what lies there
  expect(grip("sector", 38, 20.2)).toBe("start");
  expect(grip("sector", 30, 28)).toBe("stop");
  expect(grip("sector", 36, 26)).toBe(INSIDE);
  expect(grip("sector", 22, 20)).toBeNull();
  expect(grip("rectangle", 40, 15)).toBe("ne");
  expect(grip("rectangle", 33, 25)).toBe("s");
  expect(grip("rectangle", 33, 21)).toBe(INSIDE);
  expect(grip("ellipse", 30, 30)).toBe("rx");
  expect(grip("ellipse", 35, 20)).toBe("ry");
  expect(grip("ellipse", 30, 32.2)).toBe("angle");
  expect(grip("ellipse", 34, 26)).toBe("rim");
  expect(grip("polygon", 40.2, 10)).toBe("p1");
  expect(grip("polygon", 40.2, 20)).toBe("rim");
  expect(grip("polygon", 40.2, 10, false)).toBe("rim");
  expect(grip("lasso", 40.2, 10)).toBe("rim");
  expect(grip("brush", 30, 24)).toBe("r");
  expect(grip("brush", 30, 21)).toBe(INSIDE);
});

test.each([0, 0.1, 0.5])("a shape of size %d can still be moved by its middle", (size) => {
  const small: Shape[] = [
    { type: "disk", cx: 5, cy: 5, r: size },
    { type: "annulus", cx: 5, cy: 5, ri: 0, ro: size },
    { type: "rectangle", cx: 5, cy: 5, width: size, height: size },
    { type: "ellipse", cx: 5, cy: 5, rx: size, ry: size, angle: 0 },
  ];
  for (const shape of small) {
    expect(gripAt(shape, { x: 5, y: 5, reach: REACH, unit: UNIT }, true), shape.type).toBe(INSIDE);
  }
});

test("every handle is where it is taken, and pulling it nowhere changes nothing", () => {
  for (const shape of Object.values(SHAPES)) {
    for (const handle of handlesOf(shape, UNIT)) {
      const touch = { x: handle.x, y: handle.y, reach: REACH, unit: UNIT };
      expect(gripAt(shape, touch, true), `${shape.type} ${handle.grip}`).toBe(handle.grip);
      expect(pull(shape, handle.grip, handle, handle, false)).toEqual(shape);
    }
  }
});

test("what is dragged inside moves, by 45 degrees with Shift", () => {
  for (const kind of KINDS) {
    const [before, after] = [SHAPES[kind], pulled(kind, INSIDE, [30, 20], [33, 24])];
    expect(centreOf(after)).toEqual({ x: centreOf(before).x + 3, y: centreOf(before).y + 4 });
  }
  expect(centreOf(pulled("disk", INSIDE, [30, 20], [35, 20.4], true))).toEqual({ x: 35, y: 20 });
  const diagonal = centreOf(pulled("disk", INSIDE, [30, 20], [34, 23], true));
  expect(diagonal).toEqual({ x: 33.5, y: 23.5 });
});

test("rims are pulled by as much as the hand moves, and stay in order", () => {
  expect(pulled("disk", "r", [40.5, 20], [43.5, 20])).toMatchObject({ r: 13 });
  expect(pulled("disk", "r", [40, 20], [30, 20])).toMatchObject({ r: 0 });
  expect(pulled("annulus", "ri", [35, 20], [60, 20])).toMatchObject({ ri: 10, ro: 10 });
  expect(pulled("annulus", "ro", [40, 20], [30, 20])).toMatchObject({ ri: 5, ro: 5 });
  expect(pulled("brush", "r", [30, 24], [30, 26])).toMatchObject({ r: 6 });
  expect(pulled("lasso", "rim", [40, 20], [50, 20])).toMatchObject({
    points: [[10, 0], [50, 0], [50, 40], [10, 40]], // prettier-ignore
  });
});

test("edges of a sector are turned, by 45 degrees with Shift", () => {
  expect(pulled("sector", "stop", [30, 28], [22, 20])).toMatchObject({ start: 0, stop: 180 });
  expect(pulled("sector", "start", [38, 20], [38, 12])).toMatchObject({ start: 315, stop: 90 });
  expect(pulled("sector", "stop", [30, 28], [25, 26], true)).toMatchObject({ stop: 135 });
  expect(spanOf(pulled("sector", "start", [38, 20], [38, 12]) as Shape & { type: "sector" })).toBe(135);
});

test("sides of a rectangle move alone, and Shift makes a square", () => {
  expect(pulled("rectangle", "e", [40, 20], [44, 50])).toMatchObject({ cx: 32, width: 24, height: 10 });
  expect(pulled("rectangle", "nw", [20, 15], [18, 11])).toEqual({
    type: "rectangle", cx: 29, cy: 18, width: 22, height: 14, // prettier-ignore
  });
  expect(pulled("rectangle", "e", [40, 20], [10, 20])).toMatchObject({ cx: 15, width: 10 });
  expect(pulled("rectangle", "se", [40, 25], [44, 25], true)).toMatchObject({ width: 24, height: 24, cx: 32, cy: 27 });
  expect(pulled("rectangle", "e", [40, 20], [44, 20], true)).toMatchObject({ width: 24, height: 24 });
});

test("axes of an ellipse are pulled along themselves, and Shift makes a circle", () => {
  expect(pulled("ellipse", "rx", [30, 30], [30, 32])).toMatchObject({ rx: 12, ry: 5 });
  expect(pulled("ellipse", "ry", [35, 20], [37, 20], true)).toMatchObject({ rx: 7, ry: 7 });
  expect(pulled("ellipse", "rim", [30, 30], [30, 40])).toMatchObject({ rx: 20, ry: 10 });
  expect(pulled("ellipse", "angle", [30, 34], [16, 20])).toMatchObject({ angle: 180 });
  expect(pulled("ellipse", "angle", [30, 34], [16, 21], true)).toMatchObject({ angle: 180 });
});

test("corners of a polygon move alone, by 45 degrees to the last one with Shift", () => {
  expect(pulled("polygon", "p2", [40, 30], [42, 33])).toMatchObject({
    points: [[20, 10], [40, 10], [42, 33], [20, 30]], // prettier-ignore
  });
  expect(pulled("polygon", "p2", [40, 30], [42, 33], true)).toMatchObject({
    points: [[20, 10], [40, 10], [40, 33], [20, 30]], // prettier-ignore
  });
});

const trace = { path: [] as Pair[], regular: false, size: 8, reach: 1 };

test("a drag with a tool draws, and a click gives a shape of some size", () => {
  const drag = { ...trace, from: at(10, 10), to: at(16, 18), path: [[10, 10], [16, 10], [16, 18]] as Pair[] }; // prettier-ignore
  expect(drawn("point", drag)).toEqual({ type: "point", cx: 16, cy: 18 });
  expect(drawn("disk", drag)).toEqual({ type: "disk", cx: 10, cy: 10, r: 10 });
  expect(drawn("annulus", drag)).toEqual({ type: "annulus", cx: 10, cy: 10, ri: 5, ro: 10 });
  expect(drawn("sector", { ...drag, regular: true })).toMatchObject({ start: 0, stop: 90 });
  expect(drawn("rectangle", drag)).toEqual({ type: "rectangle", cx: 13, cy: 14, width: 6, height: 8 });
  expect(drawn("rectangle", { ...drag, regular: true })).toMatchObject({ width: 8, height: 8 });
  expect(drawn("ellipse", { ...drag, regular: true })).toMatchObject({ rx: 4, ry: 4, angle: 0 });
  expect(drawn("lasso", drag)).toMatchObject({ type: "lasso", points: drag.path });
  expect(drawn("brush", drag)).toMatchObject({ points: drag.path, r: 4 });
  for (const kind of KINDS) {
    const click = drawn(kind, { ...trace, from: at(10, 10), to: at(10, 10), path: [[10, 10], [10, 10]] });
    if (kind === "polygon" || kind === "lasso") expect(click).toBeNull();
    else expect(boundsOf(click as Shape).right).toBeGreaterThan(10);
  }
});

test("a line keeps the points it needs", () => {
  const straight: Pair[] = Array.from({ length: 100 }, (_, i) => [i, 0.001 * (i % 2)]);
  expect(thinned(straight, 0.1)).toEqual([straight[0], straight[99]]);
  const corner: Pair[] = [...straight, ...straight.map(([x]): Pair => [99, x])];
  expect(thinned(corner, 0.1)).toHaveLength(3);
  expect(thinned([[1, 1], [1, 1]], 0.1)).toHaveLength(2); // prettier-ignore
});
