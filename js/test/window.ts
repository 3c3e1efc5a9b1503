/** Of a window as much as Node does not have: it calls those first that capture an event. */

import { vi } from "vitest";

interface Options {
  capture?: boolean;
  signal?: AbortSignal;
}

export interface FakeWindow {
  fire(type: string): void;
  /** How many listen. */
  readonly count: number;
}

export function windowOf(): FakeWindow {
  let all: { type: string; listener: () => void; capture: boolean }[] = [];
  vi.stubGlobal("addEventListener", (type: string, listener: () => void, options: Options = {}) => {
    const one = { type, listener, capture: options.capture ?? false };
    all.push(one);
    options.signal?.addEventListener("abort", () => (all = all.filter((each) => each !== one)));
  });
  return {
    fire: (type) => {
      const heard = all.filter((each) => each.type === type);
      for (const each of heard.filter(({ capture }) => capture)) each.listener();
      for (const each of heard.filter(({ capture }) => !capture)) each.listener();
    },
    get count() {
      return all.length;
    },
  };
}
