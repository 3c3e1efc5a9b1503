/** The header of an analysis, drawn from a status, with the buttons that steer it. */

import { Panel } from "../history/panel";
import { hide, icon, iconButton, keepKeys, make, say } from "../page/dom";
import { whenAttached } from "../page/attached";
import { copy } from "../page/clipboard";
import { bytesPerSecond, duration, frames, grouped, percent } from "../page/format";
import { Told } from "./told";
import type { Life, Part, Receiver } from "../wire/hub";
import type { CommandName, State, StatusFrame } from "../wire/protocol";

const STATES: Record<State, string> = {
  waiting: "Waiting",
  running: "Running",
  paused: "Paused",
  stalled: "Waiting for frames",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
};
/** Milliseconds after which a status that has not changed counts as the answer to a button. */
const ANSWERED = 1000;
/** Until the kernel has answered, so that the press is seen to have been heard. */
const PENDING: Partial<Record<CommandName, string>> = {
  pause: "Pausing",
  cancel: "Stopping",
  restart: "Restarting",
};
/** Milliseconds for which a button says what it has done. */
const SAID = 2000;
const FINAL: readonly State[] = ["done", "cancelled", "failed"];
/** Nothing that a kernel could still change; one that ends cancels its runs, if it has the time. */
const RESULTS: readonly State[] = ["done", "failed"];

/** What a page knows of one status bar. */
export class StatusStore implements Receiver {
  status: StatusFrame | null = null;
  /** Whether there is a kernel that answers the buttons. */
  life: Life = "asked";
  readonly views = new Set<() => void>();

  get sequence(): number {
    return this.status?.sequence ?? 0;
  }

  get settled(): boolean {
    return this.status !== null && FINAL.includes(this.status.state);
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
  const final = FINAL.includes(status.state);
  const words: string[] = [];
  if (!final || status.fraction < 1) words.push(percent(status.fraction));
  if (final && status.frames_done > 0) {
    words.push(`${grouped(String(status.frames_done))} frames`);
  }
  if (status.frames_per_second > 0) words.push(frames(status.frames_per_second));
  if (status.bytes_per_second > 0) words.push(bytesPerSecond(status.bytes_per_second));
  if (!final && status.seconds_left !== null) words.push(`${duration(status.seconds_left)} left`);
  return words.join(" · ");
}

const COPY = "Copy the code of these pictures";

/** Puts a text on the clipboard, and says on the button how that went. */
export async function copyText(text: string, button: HTMLButtonElement): Promise<void> {
  const isDone = await copy({ "text/plain": new Blob([text], { type: "text/plain" }) });
  const done = isDone ? "Copied" : "The browser does not allow it here: use view.code() in a cell";
  button.title = done;
  button.setAttribute("aria-label", done);
  button.setAttribute("aria-pressed", "true");
  setTimeout(() => {
    button.title = COPY;
    button.setAttribute("aria-label", COPY);
    button.removeAttribute("aria-pressed");
  }, SAID);
}

/** The commands that make sense in a state. */
export function possible(state: State): readonly CommandName[] {
  if (FINAL.includes(state)) return ["restart", "close"];
  const toggle = state === "paused" ? "resume" : "pause";
  return state === "waiting" ? ["cancel"] : [toggle, "restart", "cancel"];
}

export interface StatusPlace {
  element: HTMLElement;
  store: StatusStore;
  title(): string;
  /** The commands that the kernel answers. */
  commands(): readonly string[];
  /** Lines that reproduce what the card shows, to be copied; empty where there are none. */
  code(): string;
  /** Title, commands, code or connection have changed. */
  onChange(callback: () => void): void;
  command(name: CommandName): void;
  /** Stop at a signal-to-noise ratio; null for nowhere. */
  aim(goal: number | null): void;
  /** Whether the kernel does that. */
  stops(): boolean;
}

export function showStatus(place: StatusPlace, signal: AbortSignal): void {
  const { store } = place;
  const title = make("div", { className: "udfw-status-title" });
  const state = make("span", { className: "udfw-state", text: STATES.waiting });
  const buttons = {
    toggle: iconButton("pause", "Pause"),
    restart: iconButton("restart", "Restart"),
    cancel: iconButton("cancel", "Cancel"),
    close: iconButton("close", "Close this card"),
  };
  const copyCode = iconButton("copy", COPY);
  buttons.toggle.className = "udfw-button udfw-toggle";
  const past = new Panel(
    {
      status: () => store.status,
      aim: (goal) => place.aim(goal),
      stops: () => place.stops(),
      connected: () => store.life === "known",
    },
    signal,
  );
  const tools = make(
    "div",
    { className: "udfw-commands" },
    copyCode,
    past.button,
    ...Object.values(buttons),
  );
  tools.setAttribute("role", "toolbar");
  keepKeys(tools);
  const fill = make("div", { className: "udfw-fill" });
  const bar = make("div", { className: "udfw-bar", label: "Progress" }, fill);
  bar.setAttribute("role", "progressbar");
  const line = make("div", { className: "udfw-line" });
  const note = make("div", { className: "udfw-note" });
  const message = make("div", { className: "udfw-message" });
  const told = new Told(() => place.title());
  const shell = make(
    "section",
    { className: "udfw-status" },
    told.element,
    make("div", { className: "udfw-status-head" }, title, state, tools),
    bar,
    make("div", { className: "udfw-says" }, line, message),
    note,
    past.element,
  );
  place.element.append(shell);
  whenAttached(shell, () => past.join(shell), signal);
  signal.addEventListener("abort", () => shell.remove());

  let pending: CommandName | null = null;
  let pressed = 0;
  let toggle: "pause" | "resume" = "pause";

  const showTools = (current: State, live: boolean): void => {
    const now = live ? possible(current) : [];
    const answered = [...place.commands(), "close"];
    const offer = (button: HTMLButtonElement, name: CommandName): void => {
      const offered = now.includes(name) && answered.includes(name);
      // The focus must not be lost with a button.
      if (!offered && document.activeElement === button) buttons.restart.focus();
      hide(button, !offered);
      // Not `disabled`, which would take the focus away.
      button.setAttribute("aria-disabled", String(pending === name));
    };
    const wanted = current === "paused" ? "resume" : "pause";
    if (wanted !== toggle) {
      toggle = wanted;
      const label = toggle === "pause" ? "Pause" : "Resume";
      buttons.toggle.title = label;
      buttons.toggle.setAttribute("aria-label", label);
      buttons.toggle.replaceChildren(icon(toggle));
    }
    offer(buttons.restart, "restart");
    offer(buttons.toggle, toggle);
    offer(buttons.cancel, "cancel");
    offer(buttons.close, "close");
  };

  const show = (): void => {
    const { status } = store;
    const current = status?.state ?? "waiting";
    const cut = place.element.closest(".jupyter-widgets-disconnected") !== null;
    const live = store.life === "known" && !cut;
    const lost = (store.life === "lost" || cut) && !RESULTS.includes(current);
    // Nobody is going to answer.
    if (store.life === "lost" || cut) pending = null;
    say(title, (title.title = place.title()));
    shell.dataset.udfwState = lost ? "lost" : current;
    shell.dataset.udfwFraction = String(status?.fraction ?? 0);
    shell.dataset.udfwSequence = String(status?.sequence ?? -1);
    const word = lost ? "No kernel" : ((pending && PENDING[pending]) ?? STATES[current]);
    say(state, word);
    // Several views of it, as on a dashboard, are one voice.
    told.update(status, lost, [...store.views][0] !== news);
    hide(copyCode, !place.code());
    tools.setAttribute("aria-label", `Control ${place.title()}`);
    showTools(current, live);
    const share = Math.min(1, Math.max(0, status?.fraction ?? 0));
    fill.style.transform = `scaleX(${share})`;
    bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
    // Nothing comes any more of what a kernel that is gone was about to do.
    say(line, status ? summary(lost ? { ...status, seconds_left: null } : status) : "");
    // A notebook that was saved by an older version has none.
    say(note, (note.title = status?.note ?? ""));
    hide(note, !status?.note);
    say(message, status?.message ?? "");
    hide(message, !status?.message);
    past.note();
  };
  let before: State | null = null;
  const news = (): void => {
    const current = store.status?.state ?? null;
    const isOld = performance.now() - pressed > ANSWERED;
    if (current !== before || pending === "restart" || isOld) pending = null;
    before = current;
    show();
  };
  const press = (button: HTMLButtonElement, name: () => CommandName): void =>
    button.addEventListener(
      "click",
      () => {
        if (pending === name()) return;
        pending = name();
        pressed = performance.now();
        place.command(pending);
        show();
      },
      { signal },
    );
  press(buttons.toggle, () => toggle);
  press(buttons.restart, () => "restart");
  press(buttons.cancel, () => "cancel");
  press(buttons.close, () => "close");
  copyCode.addEventListener("click", () => void copyText(place.code(), copyCode), { signal });
  store.views.add(news);
  signal.addEventListener("abort", () => store.views.delete(news));
  place.onChange(show);
  news();
}
