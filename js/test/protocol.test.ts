import { expect, test } from "vitest";
import { isFrames, TABLES } from "../src/wire/protocol";
import table from "../src/wire/protocol.json";

test("messages have the fields of the table", () => {
  expect(TABLES).toEqual(table);
});

test("only frames for this page are taken", () => {
  const frames = { type: "frames", to: "me", images: [], statuses: [], totals: [], drawings: [] };
  expect(isFrames(frames, "me")).toBe(true);
  expect(isFrames(frames, "you")).toBe(false);
  expect(isFrames({ type: "ack" }, "me")).toBe(false);
  expect(isFrames(null, "me")).toBe(false);
});
