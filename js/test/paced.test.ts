import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hasten, paced } from "../src/page/paced";
import { windowOf } from "./window";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what is said once is said at once", () => {
  const say = vi.fn();
  paced(say)();
  expect(say).toHaveBeenCalledTimes(1);
  vi.runAllTimers();
  expect(say).toHaveBeenCalledTimes(1);
});

test("what is said again and again is said a few times per second, the last of it always", () => {
  const said: number[] = [];
  let now = 0;
  const tell = paced(() => said.push(now));
  for (now = 1; now <= 60; now++) {
    tell();
    vi.advanceTimersByTime(16);
  }
  vi.runAllTimers();
  expect(said.length).toBeLessThan(7);
  expect(said[0]).toBe(1);
  expect(said.at(-1)).toBeGreaterThanOrEqual(60);
  tell();
  expect(said.at(-1)).toBe(now);
});

test("what waits is said when it is asked for, and not once more", () => {
  const say = vi.fn();
  const tell = paced(say);
  tell();
  tell.now();
  expect(say).toHaveBeenCalledTimes(1);
  tell();
  tell.now();
  expect(say).toHaveBeenCalledTimes(2);
  // The pause begins anew.
  tell();
  vi.advanceTimersByTime(200);
  expect(say).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(100);
  expect(say).toHaveBeenCalledTimes(3);
  vi.runAllTimers();
  expect(say).toHaveBeenCalledTimes(3);
});

test("nothing waits when a hand lets go, or when the page goes, and the farewell comes after it", () => {
  const page = windowOf();
  const said: string[] = [];
  addEventListener("pagehide", () => said.push("bye"));
  const ending = new AbortController();
  const tell = paced(() => said.push("told"));
  hasten(tell, ending.signal);
  for (const event of ["pointerup", "pointercancel", "pagehide"]) {
    tell();
    tell();
    said.length = 0;
    page.fire(event);
    expect(said).toEqual(event === "pagehide" ? ["told", "bye"] : ["told"]);
    vi.runAllTimers();
  }
  ending.abort();
  expect(page.count).toBe(1);
});
