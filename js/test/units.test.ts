import { expect, test } from "vitest";
import { refusalOf, type Shape } from "../src/shapes/figures";
import { scaleOf, spelt, typed, wordOf } from "../src/shapes/bench/units";
import type { Units } from "../src/page/settings";

const annulus: Shape = { type: "annulus", cx: 31.5, cy: 32, ri: 8, ro: 16 };
const ellipse: Shape = { type: "ellipse", cx: 1, cy: 2, rx: 3, ry: 4, angle: 0 };
const sector: Shape = { type: "sector", cx: 1, cy: 2, ri: 3, ro: 4, start: 0, stop: 90 };
const mrad: Units = [[0.4, "mrad"], [0.4, "mrad"]]; // prettier-ignore
const uneven: Units = [[2, "nm"], [3, "nm"]]; // prettier-ignore

test("numbers are in the units of their axes, and angles in degrees", () => {
  const unit = (shape: Shape, field: string, units: Units): string => scaleOf(shape, field, units).join(" ");
  expect(unit(annulus, "cx", mrad)).toBe("0.4 mrad");
  expect(unit(annulus, "ro", mrad)).toBe("0.4 mrad");
  expect(unit(sector, "stop", mrad)).toBe("1 °");
  expect(unit(ellipse, "cx", uneven)).toBe("3 nm");
  expect(unit(ellipse, "ry", uneven)).toBe("2 nm");
  // No length is the same in all directions there.
  expect(unit(annulus, "ro", uneven)).toBe("1 px");
  expect(unit({ ...ellipse, angle: 30 }, "rx", uneven)).toBe("1 px");
  expect(unit({ ...ellipse, angle: 30 }, "rx", mrad)).toBe("0.4 mrad");
  expect(unit(annulus, "cx", [null, null])).toBe("1 px");
  expect(unit(annulus, "cy", [null, [3, "nm"]])).toBe("1 px");
  expect([mrad, uneven, [null, null] as Units].map(wordOf)).toEqual(["mrad", "nm", ""]);
});

test("what is typed in units is that in pixels, and what is shown comes back", () => {
  expect(spelt(annulus, "cx", [0.4, "mrad"])).toBe("12.6");
  expect(typed(annulus, "ro", "8", [0.4, "mrad"])).toEqual({ ...annulus, ro: 20 });
  for (const size of [1e-6, 0.00371, 0.4, 1, 2.5, 1234]) {
    for (const cx of [0, 0.001, 31.507, -3.25, 1023.5]) {
      const text = spelt({ ...annulus, cx }, "cx", [size, "u"]);
      const back = typed(annulus, "cx", text, [size, "u"]);
      expect("cx" in back && Math.abs(back.cx - cx), `${cx} of ${size}`).toBeLessThan(0.002);
    }
  }
});

test("numbers are refused in the unit in which they were typed", () => {
  expect(refusalOf(annulus, "ri", "6.4", 0.4)).toBe("");
  expect(refusalOf(annulus, "ri", "6.8", 0.4)).toBe("ri (6.8) has to be no larger than ro (6.4)");
  expect(refusalOf(annulus, "ro", "-0.4", 0.4)).toBe("ro (-0.4) has to be 0 or more");
  expect(refusalOf(annulus, "cx", "1", 1e-10)).toBe("cx (1) is too far out");
  expect(refusalOf(annulus, "cx", "NaN", 0.4)).toBe("cx is no number: type one, such as 12.5");
});
