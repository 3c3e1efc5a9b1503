import { expect, test } from "vitest";
import { possible } from "../src/card/status";
import { isPage, sharing } from "../src/card/totals";

test.each([
  ["waiting", ["cancel"]],
  ["running", ["pause", "restart", "cancel"]],
  ["stalled", ["pause", "restart", "cancel"]],
  ["paused", ["resume", "restart", "cancel"]],
  ["done", ["restart", "close"]],
  ["cancelled", ["restart", "close"]],
  ["failed", ["restart", "close"]],
] as const)("what can be done with one that is %s", (state, commands) => {
  expect(possible(state)).toEqual(commands);
});

test("only addresses of servers become links", () => {
  expect(isPage("http://127.0.0.1:8787/status")).toBe(true);
  expect(isPage("/user/me/proxy/8787/status")).toBe(true);
  expect(isPage("")).toBe(false);
  expect(isPage("javascript:alert(1)")).toBe(false);
});

test("the sharing factor is served over read", () => {
  expect(sharing({ read: 2e8, served: 7e8 })).toBe("3.5×");
  expect(sharing({ read: 0, served: 0 })).toBe("–");
});
