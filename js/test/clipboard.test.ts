import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { copyText } from "../src/card/status";
import { copy } from "../src/page/clipboard";

class Item {
  constructor(readonly what: Record<string, Blob | Promise<Blob>>) {}
}

interface Runtime {
  on(event: "unhandledRejection", listener: () => void): void;
  off(event: "unhandledRejection", listener: () => void): void;
}

/** That of Node, whose types are not here. */
const { process } = globalThis as unknown as { process: Runtime };
const warned = vi.fn();
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(warned));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function button(): HTMLButtonElement & { said: Map<string, string> } {
  const said = new Map<string, string>();
  const set = (name: string, text: string): void => void said.set(name, text);
  const one = { title: "", said, setAttribute: set, removeAttribute: (name: string) => said.delete(name) };
  return one as unknown as ReturnType<typeof button>;
}

test("a picture that fails without a clipboard is no error of the page", async () => {
  vi.stubGlobal("navigator", {});
  const lost = vi.fn();
  process.on("unhandledRejection", lost);
  expect(await copy({ "image/png": Promise.reject(new Error("no picture")) })).toBe(false);
  await new Promise((resolve) => setTimeout(resolve));
  process.off("unhandledRejection", lost);
  expect(lost).not.toHaveBeenCalled();
});

test.each([
  ["has none", {}],
  ["refuses", { clipboard: { write: () => Promise.reject(new Error("denied")) } }],
])("a browser whose clipboard %s says so of a text", async (_, navigator) => {
  vi.useFakeTimers();
  vi.stubGlobal("navigator", navigator);
  vi.stubGlobal("ClipboardItem", Item);
  const pressed = button();
  await copyText("1 + 1", pressed);
  expect(pressed.title).toMatch(/does not allow it here/);
  vi.runAllTimers();
  expect(pressed.title).toBe("Copy the code of these pictures");
});

test("a text is copied as plain text", async () => {
  vi.useFakeTimers();
  const written: Item[] = [];
  const write = (items: Item[]): Promise<void> => Promise.resolve(void written.push(...items));
  vi.stubGlobal("navigator", { clipboard: { write } });
  vi.stubGlobal("ClipboardItem", Item);
  const pressed = button();
  await copyText("1 + 1", pressed);
  expect(pressed.title).toBe("Copied");
  expect(await (await written[0].what["text/plain"]).text()).toBe("1 + 1");
});
