/** The line above a dashboard: what all analyses do together. */

import { hide, make, say } from "../page/dom";
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
  /** Whether it is about other processes, and left out where there are none. */
  ofProcesses?: true;
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
  {
    label: "workers",
    title: "Processes that work for the kernel",
    text: (t) => String(t.processes),
    ofProcesses: true,
  },
  {
    label: "moved",
    title: "Partial results that come from the workers",
    text: (t) => rate(t.moved),
    ofProcesses: true,
  },
];

/** An address that can be opened: of a server, or of this one. */
export const isPage = (address: string): boolean => /^(https?:\/)?\//.test(address);

export function showTotals(element: HTMLElement, store: TotalsStore, signal: AbortSignal): void {
  const shell = make("section", { className: "udfw-totals", label: "All analyses" });
  const places = FIGURES.map((figure) => {
    const value = make("div", { className: "udfw-total", text: "–" });
    const label = make("div", { className: "udfw-total-label", text: figure.label });
    const box = make("div", { title: figure.title }, value, label);
    shell.append(box);
    return { figure, value, box };
  });
  const link = make("a", { className: "udfw-total", text: "Dask" });
  Object.assign(link, { target: "_blank", rel: "noopener" });
  const label = make("div", { className: "udfw-total-label", text: "dashboard" });
  const page = make("div", { title: "Dask's own dashboard, in a new tab" }, link, label);
  shell.append(page);
  element.append(shell);
  signal.addEventListener("abort", () => shell.remove());
  const update = (): void => {
    const { totals } = store;
    shell.dataset.udfwRunning = String(totals?.running ?? -1);
    hide(page, !totals || !isPage(totals.page));
    for (const { figure, box } of places) hide(box, !!figure.ofProcesses && !totals?.processes);
    if (!totals) return;
    if (!page.hidden) link.href = totals.page;
    for (const { figure, value } of places) say(value, figure.text(totals));
  };
  store.views.add(update);
  signal.addEventListener("abort", () => store.views.delete(update));
  update();
}
