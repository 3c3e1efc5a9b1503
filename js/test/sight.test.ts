import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { View } from "../src/wire/protocol";
import { GRACE, Sight } from "../src/wire/sight";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function bench(closed = false): { sight: Sight; told: View[] } {
  const told: View[] = [];
  return { sight: new Sight((view) => told.push(view), () => closed), told };
}

test("one view in sight is enough", () => {
  const { sight, told } = bench();
  const [a, b] = [{}, {}];
  sight.set(a, false);
  sight.set(b, true);
  sight.remove(b);
  sight.remove(a);
  expect(told).toEqual(["hidden", "visible", "hidden", "hidden"]);
});

test("the last view that goes was deleted, after a moment", () => {
  const { sight, told } = bench();
  const view = {};
  sight.set(view, true);
  sight.remove(view);
  vi.advanceTimersByTime(GRACE - 1);
  expect(told.at(-1)).toBe("hidden");
  vi.advanceTimersByTime(1);
  expect(told.at(-1)).toBe("none");
});

test("of a new view nothing is told before it is known whether it can be seen", () => {
  const { sight, told } = bench();
  const view = {};
  sight.add(view);
  expect(told).toEqual([]);
  sight.set(view, false);
  expect(told).toEqual(["hidden"]);
});

test("a view that comes back in time was only moved", () => {
  const { sight, told } = bench();
  const view = {};
  sight.set(view, true);
  sight.remove(view);
  vi.advanceTimersByTime(GRACE - 1);
  sight.set({}, true);
  vi.advanceTimersByTime(2 * GRACE);
  expect(told.at(-1)).toBe("visible");
});

test("a notebook that is closed has deleted nothing", () => {
  const { sight, told } = bench(true);
  const view = {};
  sight.set(view, true);
  sight.remove(view);
  vi.advanceTimersByTime(2 * GRACE);
  expect(told.at(-1)).toBe("hidden");
});

test("a view that was never there is not missed, nor one after the end", () => {
  const { sight, told } = bench();
  sight.remove({});
  const view = {};
  sight.set(view, true);
  sight.remove(view);
  sight.end();
  vi.advanceTimersByTime(2 * GRACE);
  expect(told).toEqual(["visible", "hidden"]);
});
