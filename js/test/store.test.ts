import { expect, test } from "vitest";
import { FLASH_MILLISECONDS, ImageStore } from "../src/wire/store";
import { bits, frame } from "./frames";

const WHOLE: [number, number, number, number] = [0, 0, 2, 3];

function filled(now = { at: 0 }): ImageStore {
  const store = new ImageStore("nav", () => now.at);
  const { part, buffers } = frame([2, 3], WHOLE, [1, 2, 3, 4, 5, 6]);
  const at = { ...part, coverage: 1 };
  expect(store.apply(at, [...buffers, bits([0, 1], 6)])).toBe(true);
  return store;
}

test("a part replaces its rectangle and nothing else", () => {
  const store = filled();
  const { part, buffers } = frame([2, 3], [0, 1, 2, 2], [20, 30, 50, 60], {
    sequence: 2,
    whole: false,
  });
  expect(store.apply(part, buffers)).toBe(true);
  expect([...store.codes]).toEqual([1, 20, 30, 4, 50, 60]);
  expect(store.changedSince(1)).toEqual([0, 1, 2, 2]);
  expect(store.changedSince(0)).toEqual(WHOLE);
  expect(store.changedSince(-1)).toBeNull();
});

test("a gap is noticed and changes nothing", () => {
  const store = filled();
  const { part, buffers } = frame([2, 3], [0, 0, 1, 1], [9], { sequence: 3, whole: false });
  expect(store.apply(part, buffers)).toBe(false);
  expect([...store.codes]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(store.sequence).toBe(1);
});

test("a part without a whole before it is refused", () => {
  const { part, buffers } = frame([2, 3], [0, 0, 1, 1], [9], { whole: false });
  expect(new ImageStore("nav").apply(part, buffers)).toBe(false);
});

test("what was merged since glows, then fades", () => {
  const now = { at: 100 };
  const store = filled(now);
  expect(store.flashes).toEqual([]);
  const { part } = frame([2, 3], [0, 0, 0, 0], null, { sequence: 2, whole: false, coverage: 0 });
  store.apply(part, [bits([0, 1, 2, 5], 6)]);
  expect(store.flashes).toMatchObject([{ at: 100, rect: [0, 2, 2, 1] }]);
  expect([...store.flashes[0].mask]).toEqual([1, 1]);
  expect(store.changedSince(1)).toEqual([0, 2, 2, 1]);
  expect(store.fade()).toBe(true);
  now.at += FLASH_MILLISECONDS;
  expect(store.fade()).toBe(false);
});

test("what glows is what came since the picture before, also in the third and fourth one", () => {
  const store = filled();
  const glowing = [[0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 5]].map((merged, i) => {
    const more = { sequence: 2 + i, whole: false, coverage: 0 };
    store.apply(frame([2, 3], [0, 0, 0, 0], null, more).part, [bits(merged, 6)]);
    return store.flashes[i].rect;
  }); // prettier-ignore
  expect(glowing).toEqual([[0, 2, 1, 1], [1, 0, 1, 1], [1, 2, 1, 1]]); // prettier-ignore
});

test("what is outside stays outside, until a whole picture says otherwise", () => {
  const store = filled();
  const { part, buffers } = frame([2, 3], WHOLE, [1, 2, 3, 4, 5, 6], { sequence: 2 });
  const more = [...buffers, bits([0], 6), bits([2, 5], 6)];
  store.apply({ ...part, coverage: 1, outside: 2 }, more);
  const outside = (): boolean[] => [0, 1, 2].map((x) => store.at(0, x)?.outside ?? false);
  expect(outside()).toEqual([false, false, true]);
  const next = frame([2, 3], [0, 0, 0, 0], null, { sequence: 3, whole: false, coverage: 0 });
  store.apply(next.part, [bits([0, 1], 6)]);
  expect(outside()).toEqual([false, false, true]);
  expect(store.at(0, 2)?.covered).toBe(false);
  const older = Object.fromEntries(Object.entries(part).filter(([name]) => name !== "outside"));
  store.apply(older as typeof part, buffers);
  expect(outside()).toEqual([false, false, false]);
});

test("the value of a pixel is read, with whether it is merged", () => {
  const store = filled();
  expect(store.at(0, 1)).toEqual({ value: 1, error: 0.5, covered: true, outside: false });
  expect(store.at(1, 2)).toMatchObject({ value: 5, covered: false });
  expect(store.at(2, 0)).toBeNull();
});

test("a detail is read in full resolution", () => {
  const store = new ImageStore("sig");
  const { part } = frame([1, 2], [0, 0, 1, 2], [1, 2], {
    shape: [2, 4],
    detail: 1,
    detail_rect: [1, 2, 1, 2],
  });
  const views = [[1, 2], [70, 80]].map((c) => new DataView(Uint16Array.from(c).buffer));
  store.apply(part, views);
  expect(store.at(0, 3)?.value).toBe(1);
  expect(store.at(1, 3)?.value).toBe(79);
});

test("an image is settled by its last frame", () => {
  const store = filled();
  expect(store.settled).toBe(false);
  const { part } = frame([2, 3], [0, 0, 0, 0], null, { sequence: 2, whole: false, final: true });
  store.apply(part, []);
  expect(store.settled).toBe(true);
});
