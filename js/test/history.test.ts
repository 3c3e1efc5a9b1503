import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { placed } from "../src/history/curve";
import { Past } from "../src/history/past";
import { change, MOST, put, putDifference, Record, SIDE, stretched, values } from "../src/history/record";
import { ImageStore } from "../src/wire/store";
import type { ImageFrame } from "../src/wire/protocol";
import { frame } from "./frames";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

let sequence = 0;
function show(store: ImageStore, fraction: number, codes: number[], more: Partial<ImageFrame> = {}): void {
  const grid: [number, number] = [1, codes.length];
  const { part, buffers } = frame(grid, [0, 0, ...grid], codes, { sequence: ++sequence, fraction, ...more });
  store.apply(part, buffers);
  store.paint();
}

test("a run leaves no more than its bound, both ends of it and most of what is near them", () => {
  const store = new ImageStore("sig");
  const record = new Record(store);
  for (let i = 1; i <= 1000; i++) show(store, i / 1000, [i, 2 * i]);
  const shares = record.steps.map((step) => step.fraction);
  expect(shares.length).toBe(MOST);
  expect([shares[0], shares.at(-1)]).toEqual([0.001, expect.closeTo(1, 2)]);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  const gaps = shares.slice(1).map((share, i) => stretched(share) - stretched(shares[i]));
  expect(Math.max(...gaps) / (stretched(1) / MOST)).toBeLessThan(3);
});

test("pictures are kept small, and do not change any more", () => {
  const store = new ImageStore("nav");
  const record = new Record(store);
  const [rows, columns] = [4, 2 * SIDE];
  const codes = Array.from({ length: rows * columns }, (_, i) => i % 60000);
  const grid: [number, number] = [rows, columns];
  const { part, buffers } = frame(grid, [0, 0, ...grid], codes, { sequence: ++sequence, fraction: 0.5 });
  store.apply(part, buffers);
  store.paint();
  const [step] = record.steps;
  expect(step.frame.grid).toEqual([2, SIDE]);
  expect([...step.codes.slice(0, 3), step.codes[SIDE]]).toEqual([0, 2, 4, 2 * columns]);
  store.codes.fill(7);
  expect(step.codes[1]).toBe(2);
});

test("the moment asked for is the newest that was there by then; another run begins anew", () => {
  const store = new ImageStore("sig");
  const record = new Record(store);
  for (const share of [0.1, 0.4, 0.4, 0.8]) show(store, share, [Math.round(100 * share) + 1]);
  expect(record.steps.map((step) => step.fraction)).toEqual([0.1, 0.4, 0.8]);
  expect([0.05, 0.1, 0.79, 1].map((share) => record.at(share)?.fraction)).toEqual([0.1, 0.1, 0.4, 0.8]);
  show(store, 0.2, [5], { generation: 1 });
  expect(record.steps.map((step) => step.fraction)).toEqual([0.2]);
  show(store, 0.2, [5], { generation: 1, final: true });
  expect(record.steps.length).toBe(1);
});

test("a picture that only grows does not change, one with other shares does", () => {
  const store = new ImageStore("sig");
  const record = new Record(store);
  show(store, 0.2, [2, 3, 0, 5]);
  show(store, 0.4, [3, 5, 0, 9]); // values 1, 2, -, 4 and twice that
  show(store, 0.6, [3, 5, 2, 1]);
  const [a, b, c] = record.steps;
  expect([...values(a)]).toEqual([1, 2, NaN, 4]);
  expect(change(a, b)).toBeCloseTo(0, 12);
  // Shares of the mean: 3/7, 6/7, 12/7 and 1, 2, 0.
  const [then, now] = [
    [3 / 7, 6 / 7, 12 / 7],
    [1, 2, 0],
  ];
  const squares = now.map((value, i) => (value - then[i]) ** 2);
  const expected = Math.sqrt(squares.reduce((x, y) => x + y) / 5);
  expect(change(a, c)).toBeCloseTo(expected, 12);
});

test("what has come since is drawn as any picture, about zero", () => {
  const store = new ImageStore("sig");
  const record = new Record(store);
  show(store, 0.2, [11, 21, 0]);
  show(store, 1, [6, 61, 5]);
  const [then, now] = record.steps;
  const aside = new ImageStore("sig");
  expect(putDifference(aside, then, now)).toBe(40);
  expect([0, 1, 2].map((x) => aside.at(0, x)?.value)).toEqual([
    expect.closeTo(-5, 2),
    expect.closeTo(40, 2),
    NaN,
  ]);
  put(aside, then);
  expect(aside.at(0, 1)?.value).toBe(20);
});

function past(): { past: Past; seen: (number | null)[] } {
  const store = new ImageStore("sig");
  const record = new Record(store);
  for (const share of [0.25, 0.5, 0.75, 1]) show(store, share, [9]);
  const past = new Past();
  past.records.add(record);
  const seen: (number | null)[] = [];
  past.onChange(() => seen.push(past.shown), new AbortController().signal);
  return { past, seen };
}

test("playing goes through all moments, and ends with now", () => {
  const each = past();
  each.past.play();
  vi.advanceTimersByTime(2000);
  expect(each.seen).toEqual([0.25, 0.5, 0.75, null]);
  expect(each.past.isPlaying).toBe(false);
});

test("then and now take turns until that is enough", () => {
  const each = past();
  each.past.blink();
  vi.advanceTimersByTime(1100);
  expect(each.seen).toEqual([0.5, null, 0.5]);
  each.past.blink();
  each.past.show(null);
  vi.advanceTimersByTime(2000);
  expect(each.seen).toEqual([0.5, null, 0.5, null, null]);
});

test("nothing goes on without anybody who looks", () => {
  const { past: each } = past();
  const ending = new AbortController();
  const alone = new Past();
  alone.records.add([...each.records][0]);
  alone.onChange(() => undefined, ending.signal);
  alone.blink();
  ending.abort();
  expect(alone.isBlinking).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test("a curve goes from its lowest to its highest value, on a logarithmic scale", () => {
  expect(placed([[0, 1], [0.5, 100], [1, 10]])).toEqual([
    [0, 0],
    [0.5, 1],
    [1, expect.closeTo(0.5, 12)],
  ]);
  expect(placed([[0.5, 3]])).toEqual([[0.5, 0.5]]);
});
