/** The header of an analysis, drawn from a status. */

import { make } from "./dom";
import { bytes, duration, frames, grouped, percent } from "./format";
import type { Part, Receiver } from "./hub";
import type { State, StatusFrame } from "./protocol";

const STATES: Record<State, string> = {
  waiting: "Waiting",
  running: "Running",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
};

/** What a page knows of one status bar. */
export class StatusStore implements Receiver {
  status: StatusFrame | null = null;
  readonly views = new Set<() => void>();

  get sequence(): number {
    return this.status?.sequence ?? 0;
  }

  get settled(): boolean {
    return this.status !== null && !["waiting", "running"].includes(this.status.state);
  }

  apply(part: Part): boolean {
    this.status = part as StatusFrame;
    return true;
  }

  paint(): void {
    for (const view of this.views) view();
  }
}

/** The line of numbers; what is not known is left out. */
export function summary(status: StatusFrame): string {
  const running = status.state === "running";
  const words: string[] = [];
  if (running || status.fraction < 1) words.push(percent(status.fraction));
  if (!running && status.frames_done > 0) {
    words.push(`${grouped(String(status.frames_done))} frames`);
  }
  if (status.frames_per_second > 0) words.push(frames(status.frames_per_second));
  if (status.bytes_per_second > 0) words.push(bytes(status.bytes_per_second));
  if (running && status.seconds_left !== null) words.push(`${duration(status.seconds_left)} left`);
  return words.join(" · ");
}

export interface StatusPlace {
  element: HTMLElement;
  store: StatusStore;
  title(): string;
  onTitle(callback: () => void): void;
  cancel(): void;
}

export function showStatus(place: StatusPlace, signal: AbortSignal): void {
  const { store } = place;
  const title = make("div", { className: "udfw-status-title" });
  const state = make("span", { className: "udfw-state", text: STATES.waiting });
  state.setAttribute("role", "status");
  const cancel = make("button", { className: "udfw-cancel", text: "Cancel", label: "Cancel run" });
  cancel.type = "button";
  const fill = make("div", { className: "udfw-fill" });
  const bar = make("div", { className: "udfw-bar", label: "Progress" }, fill);
  bar.setAttribute("role", "progressbar");
  const line = make("div", { className: "udfw-line" });
  const error = make("div", { className: "udfw-error" });
  const shell = make(
    "section",
    { className: "udfw-status" },
    make("div", { className: "udfw-status-head" }, title, state, cancel),
    bar,
    line,
    error,
  );
  place.element.append(shell);
  signal.addEventListener("abort", () => shell.remove());

  const update = (): void => {
    const status = store.status;
    const current = status?.state ?? "waiting";
    title.textContent = place.title();
    shell.dataset.udfwState = current;
    shell.dataset.udfwFraction = String(status?.fraction ?? 0);
    shell.dataset.udfwSequence = String(status?.sequence ?? -1);
    if (current !== "running") cancel.disabled = false;
    cancel.hidden = current !== "running";
    if (!cancel.disabled) cancel.textContent = "Cancel";
    if (state.textContent !== STATES[current]) state.textContent = STATES[current];
    const share = Math.min(1, Math.max(0, status?.fraction ?? 0));
    fill.style.transform = `scaleX(${share})`;
    bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
    line.textContent = status ? summary(status) : "";
    error.textContent = status?.message ?? "";
    error.hidden = !status?.message;
  };
  cancel.addEventListener(
    "click",
    () => {
      // Until the run has stopped, so that the click is seen to have been heard.
      cancel.disabled = true;
      cancel.textContent = "Stopping";
      place.cancel();
    },
    { signal },
  );
  store.views.add(update);
  signal.addEventListener("abort", () => store.views.delete(update));
  place.onTitle(update);
  update();
}
