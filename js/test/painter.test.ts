import { expect, test } from "vitest";
import { sectors } from "../src/shapes/bench/presets";
import type { Bounds } from "../src/shapes/figures";
import { placeOf, Projection } from "../src/shapes/painter";

const to = new Projection({ x0: 0, x1: 64, y0: 0, y1: 64 }, 320, 320);
const ring = { type: "annulus", cx: 31.5, cy: 31.5, ri: 8, ro: 15 } as const;

test("names of sectors stand beside their own, also where others have taken a place", () => {
  for (const n of [2, 3, 4, 5]) {
    const taken: Bounds[] = [];
    sectors(ring, n).forEach((sector, k) => {
      const spot = placeOf(sector, 20, to, taken);
      if (!spot) throw new Error("no place");
      const [x, y] = spot;
      taken.push({ left: x - 20, right: x + 20, top: y - 7, bottom: y + 7 });
      const degrees = (Math.atan2(y - 160, x - 160) * 360) / (2 * Math.PI);
      const share = (((degrees - sector.start) % 360) + 360) % 360;
      expect(share, `${k} of ${n}`).toBeLessThan(360 / n);
    });
  }
});

test("names of other shapes stand where no other one is", () => {
  const first = placeOf(ring, 20, to, []);
  if (!first) throw new Error("no place");
  const [x, y] = first;
  const second = placeOf(ring, 20, to, [{ left: x - 20, right: x + 20, top: y - 7, bottom: y + 7 }]);
  expect(second).not.toEqual(first);
  expect(placeOf({ ...ring, cx: 200 }, 20, to, [])).toBeNull();
});
