import { expect, test } from "vitest";
import {
  bytes,
  bytesPerSecond,
  duration,
  frames,
  limit,
  limits,
  percent,
  plainPair,
  short,
  shortPair,
  titleParts,
  value,
} from "../src/page/format";
import { summary } from "../src/card/status";

const plain = (text: string): string => text.replaceAll("\u202f", " ").replaceAll("\u2212", "-");

test.each([
  [1234, 0.5, "1234"],
  [12400, 0.5, "12 400"],
  [-3, 0, "-3"],
  [0, 0, "0"],
  [0.123456, 0, "0.1235"],
  [1234567.8, 0.6, "1 234 568"],
  [1e12, 0, "1.000e12"],
  [1.5e-7, 0, "1.500e-7"],
  [NaN, 0, "no value"],
])("value %d", (number, error, text) => {
  expect(plain(value(number, error))).toBe(text);
});

test.each([
  [0, "0"],
  [63.52, "63.5"],
  [1544.2, "1544"],
  [250000, "250 000"],
  [-0.0012345, "-0.00123"],
  [3e9, "3e9"],
  [2.5e-8, "2.5e-8"],
])("limit %d", (number, text) => {
  expect(plain(short(number))).toBe(text);
});

test.each([
  [0, "0"],
  [1, "1"],
  [63.52, "63.5"],
  [999.4, "999"],
  [999.6, "1k"],
  [827112, "827k"],
  [1102000, "1.1M"],
  [-0.01234, "-0.0123"],
  [0.00123, "1.2e-3"],
  [3e20, "3.0e20"],
])("a limit beside the colours: %d", (number, text) => {
  expect(plain(limit(number))).toBe(text);
  expect(limit(number).length).toBeLessThanOrEqual(7);
});

test("limits that look alike are told apart", () => {
  expect(limits(827112, 1102000)).toEqual(["827k", "1.1M"]);
  expect(limits(5, 5)).toEqual(["5", "5"]);
  expect(limits(4227000, 4227100).map(plain)).toEqual(["4 227 000", "4 227 100"]);
});

test.each([
  [1544.2, 250000, "1544 … 250 000"],
  [4227000, 4227100, "4 227 000 … 4 227 100"],
  [-1.00002, -1.00001, "-1.00002 … -1.00001"],
  [2.5e-8, 2.5e-8, "2.5e-8 … 2.5e-8"],
  [0.1, 0.1 + 2 ** -56, "0.1 … 0.10000000000000002"],
])("limits %d and %d", (lo, hi, text) => {
  expect(plain(shortPair(lo, hi).join(" … "))).toBe(text);
});

test("rates, durations and shares", () => {
  expect(plain(frames(12400.4))).toBe("12 400 frames/s");
  expect(frames(2.345)).toBe("2.3 frames/s");
  expect(bytesPerSecond(6.1e9)).toBe("6.1 GB/s");
  expect(bytes(532)).toBe("532 B");
  expect(duration(2.1)).toBe("3 s");
  expect(duration(125)).toBe("2 min 05 s");
  expect(duration(4800)).toBe("1 h 20 min");
  expect(percent(0.9999)).toBe("99 %");
  expect(percent(1)).toBe("100 %");
});

const STATUS = {
  key: "s",
  sequence: 1,
  state: "running",
  fraction: 0.43,
  frames_done: 430,
  frames_total: 1000,
  frames_per_second: 12400,
  bytes_per_second: 6.1e9,
  seconds_left: 3,
  message: "",
  note: "",
  ratio: null,
  goal: null,
} as const;

test("a run is summed up in a line", () => {
  expect(plain(summary(STATUS))).toBe("43 % · 12 400 frames/s · 6.1 GB/s · 3 s left");
  const unknown = { ...STATUS, frames_per_second: 0, bytes_per_second: 0, seconds_left: null };
  expect(summary(unknown)).toBe("43 %");
  const done = { ...STATUS, state: "done", fraction: 1, frames_done: 1000, seconds_left: 0 } as const;
  expect(plain(summary(done))).toBe("1000 frames · 12 400 frames/s · 6.1 GB/s");
});

test.each([
  ["SumUDF: intensity", ["SumUDF", ": ", "intensity", ""]],
  ["ApplyMasksUDF: bright field(intensity)", ["ApplyMasksUDF", ": ", "bright field", "(intensity)"]],
  ["SumUDF: <lambda>(intensity)", ["SumUDF", ": ", "<lambda>", "(intensity)"]],
  ["ApplyMasksUDF[12]: mask 1", ["ApplyMasksUDF[12]", ": ", "mask 1", ""]],
  ["my own title: (a)", ["", "", "my own title: ", "(a)"]],
  ["", ["", "", "", ""]],
])("the title %s in parts", (title, parts) => {
  expect(Object.values(titleParts(title))).toEqual(parts);
  expect(parts.join("")).toBe(title);
});

test.each([
  [0, 1234567.89, "0", "1235000"],
  [0.1234567, 0.7654321, "0.123", "0.765"],
  [1000000, 1000001, "1000000", "1000001"],
])("an input shows the digits that matter: %d to %d", (lo, hi, from, to) => {
  expect(plainPair(lo, hi)).toEqual([from, to]);
});
