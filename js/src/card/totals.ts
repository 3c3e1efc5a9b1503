/** The line above a dashboard: what all analyses do together. */

import { make } from "../page/dom";
import { bytes, bytesPerSecond } from "../page/format";
import type { Part, Receiver } from "../wire/hub";
import type { TotalsFrame } from "../wire/protocol";

/** What a page knows of the totals. */
export class TotalsStore implements Receiver {
  totals: TotalsFrame | null = null;
  readonly settled = false;
  readonly views = new Set<() => void>();

  get sequence(): number {
    return this.totals?.sequence ?? 0;
  }

  apply(part: Part): boolean {
    this.totals = part as TotalsFrame;
    return true;
  }

  paint(): void {
    for (const view of this.views) view();
  }
}

interface Figure {
  label: string;
  title: string;
  text(totals: TotalsFrame): string;
}

/** What is read once and handed to several analyses counts several times as served. */
export function sharing({ read, served }: Pick<TotalsFrame, "read" | "served">): string {
  return read > 0 ? `${(served / read).toFixed(1)}×` : "–";
}

const rate = (perSecond: number): string => (perSecond > 0 ? bytesPerSecond(perSecond) : "–");

const FIGURES: Figure[] = [
  { label: "running", title: "Analyses under way", text: (t) => String(t.running) },
  { label: "read", title: "Read from datasets", text: (t) => rate(t.read) },
  { label: "served", title: "Handed to analyses", text: (t) => rate(t.served) },
  {
    label: "sharing",
    title: "Served / read: how many analyses use what is read once",
    text: sharing,
  },
  { label: "memory", title: "Memory of the kernel", text: (t) => bytes(t.memory) },
];

export function showTotals(element: HTMLElement, store: TotalsStore, signal: AbortSignal): void {
  const shell = make("section", { className: "udfw-totals", label: "All analyses" });
  const places = FIGURES.map((figure) => {
    const value = make("div", { className: "udfw-total", text: "–" });
    const label = make("div", { className: "udfw-total-label", text: figure.label });
    shell.append(make("div", { title: figure.title }, value, label));
    return { figure, value };
  });
  element.append(shell);
  signal.addEventListener("abort", () => shell.remove());
  const update = (): void => {
    const { totals } = store;
    shell.dataset.udfwRunning = String(totals?.running ?? -1);
    if (!totals) return;
    for (const { figure, value } of places) value.textContent = figure.text(totals);
  };
  store.views.add(update);
  signal.addEventListener("abort", () => store.views.delete(update));
  update();
}
