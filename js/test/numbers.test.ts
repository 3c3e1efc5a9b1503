import { expect, test } from "vitest";
import { Replay } from "../src/history/replay";
import { copiedOf, copiedText, tableOf } from "../src/picture/numbers";
import { ImageStore } from "../src/wire/store";
import { frame } from "./frames";

const WHOLE = { x0: 0, x1: 4, y0: 0, y1: 2 };
const values = [
  [1, 2.5, 1234.5678, NaN],
  [-3e-7, 0, 1e21, 8],
];

function source(error: number, side = 1, detail: number[] | null = null): Parameters<typeof tableOf>[0] {
  return {
    grid: [2 / side, 4 / side],
    detail: detail && { rect: detail },
    at: (y, x) => ({ value: values[y][x], error, covered: x + y !== 4, outside: false }),
  };
}

test("rows are lines, and a tabulator stands between two numbers", () => {
  expect(tableOf(source(0), [2, 4], WHOLE)).toEqual({
    text: "1\t2.5\t1234.5678\t\n-3e-7\t0\t1e+21\t\n",
    rows: 2,
    columns: 4,
    side: 1,
  });
});

test("digits that are not known are left out", () => {
  expect(tableOf(source(0.01), [2, 4], WHOLE).text).toBe("1\t2.5\t1234.568\t\n0\t0\t1e+21\t\n");
});

test("only what is shown is copied", () => {
  const { text, rows, columns } = tableOf(source(0), [2, 4], { x0: 0.5, x1: 1.5, y0: 1, y1: 2 });
  expect([text, rows, columns]).toEqual(["-3e-7\t0\n", 1, 2]);
});

test("of a large image there are means, but where it is there in full", () => {
  expect(tableOf(source(0, 2), [2, 4], WHOLE)).toMatchObject({ rows: 1, columns: 2, side: 2 });
  const near = { x0: 1, x1: 3, y0: 0, y1: 2 };
  const full = tableOf(source(0, 2, [0, 1, 2, 2]), [2, 4], near);
  expect(full).toMatchObject({ rows: 2, columns: 2, side: 1 });
  expect(tableOf(source(0, 2, [0, 1, 2, 2]), [2, 4], WHOLE).side).toBe(2);
});

/** An image of 2 x 4 pixels as means of 2 x 2, of which the middle has come in full resolution. */
function large(): ImageStore {
  const store = new ImageStore("nav");
  const parts = { shape: [2, 4] as [number, number], detail: 1, detail_rect: [0, 1, 2, 2] as never };
  const { part, buffers } = frame([1, 2], [0, 0, 1, 2], [11, 21], parts);
  store.apply(part, [...buffers, new DataView(Uint16Array.from([101, 102, 103, 104]).buffer)]);
  return store;
}

test("means are means, also where some of their pixels have come in full", () => {
  const store = large();
  expect(tableOf(store, [2, 4], WHOLE)).toMatchObject({ text: "10\t20\n", side: 2 });
  // The corner of the second mean is a pixel that is there in full.
  expect(tableOf(store, [2, 4], { ...WHOLE, x0: 2 })).toMatchObject({ text: "20\n", side: 2 });
  expect(tableOf(store, [2, 4], { ...WHOLE, x0: 1, x1: 3 })).toMatchObject({
    text: "100\t101\n102\t103\n",
    side: 1,
  });
});

const NOW = { source: null, isDifference: false };
const text = (copied: ReturnType<typeof copiedOf>): string =>
  "why" in copied ? copied.why : copiedText(copied);

test("before the first picture there is nothing to copy", () => {
  expect(copiedOf(new ImageStore("nav"), NOW, [2, 4], WHOLE)).toEqual({ why: "There is nothing to copy yet" });
  expect(new Replay(new ImageStore("nav")).source).toBeNull();
});

test("what is shown of the past is what is copied, and of a difference nothing", () => {
  const then = new ImageStore("nav");
  const { part, buffers } = frame([1, 2], [0, 0, 1, 2], [4, 5], { shape: [2, 4] });
  then.apply(part, buffers);
  const copied = copiedOf(large(), { source: then, isDifference: false }, [2, 4], WHOLE);
  expect(copied).toMatchObject({ text: "3\t4\n", isThen: true });
  expect(text(copied)).toBe("Copied 1 × 2 numbers of then, one for each 2 × 2 pixels");
  const difference = copiedOf(large(), { source: then, isDifference: true }, [2, 4], WHOLE);
  expect(text(difference)).toBe("Numbers of what has come since are not copied: show a picture");
  expect(text(copiedOf(large(), NOW, [2, 4], WHOLE))).toBe(
    "Copied 1 × 2 numbers, means of 2 × 2 pixels",
  );
  expect(text(copiedOf(source(0), NOW, [2, 4], WHOLE))).toBe("Copied 2 × 4 numbers");
});
