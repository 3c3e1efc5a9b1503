/** What is read out of an analysis to who does not see it: every quarter, the end, and errors. */

import { make } from "../page/dom";
import { grouped, percent } from "../page/format";
import type { State, StatusFrame } from "../wire/protocol";

type Seen = Pick<StatusFrame, "sequence" | "state" | "fraction" | "frames_done" | "message">;

const WORDS: Partial<Record<State, string>> = {
  paused: "paused",
  stalled: "waits for frames",
};

export interface News {
  text: string;
  /** Whether it is read out at once, whatever else is. */
  isUrgent: boolean;
}

/** Return what is to be said after a change; null where that is nothing. */
export function newsOf(first: Seen | null, now: Seen, title: string): News | null {
  const is = (text: string, isUrgent = false): News => ({ text: `${title}: ${text}`, isUrgent });
  // What was saved with the notebook is no news; a run may be over before its card is in sight.
  const before = first ?? (now.sequence > 0 ? { ...now, state: "running", message: "" } : now);
  if (now.message && now.message !== before.message) return is(now.message, now.state === "failed");
  if (now.state !== before.state) {
    if (now.state === "failed") return is("failed", true);
    if (now.state === "cancelled") return is(`cancelled at ${percent(now.fraction)}`);
    if (now.state === "done") return is(`done, ${grouped(String(now.frames_done))} frames`);
    const word = WORDS[now.state];
    if (word) return is(word);
    if (before.state === "paused" || before.state === "stalled") return is("goes on");
  }
  const [was, quarter] = [before, now].map(({ fraction }) => Math.floor(4 * fraction + 1e-9));
  return now.state === "running" && quarter > was && quarter < 4 ? is(`${25 * quarter} %`) : null;
}

/** Two live regions that nobody sees: one waits until other speech is over, one does not. */
export class Told {
  private readonly calm = make("div");
  private readonly urgent = make("div");
  readonly element = make("div", { className: "udfw-told" }, this.calm, this.urgent);
  private before: StatusFrame | null = null;
  private wasLost = false;

  constructor(private readonly title: () => string) {
    this.calm.setAttribute("role", "status");
    this.urgent.setAttribute("role", "alert");
  }

  /** Take note of a status; `isSilent` where another view of it says the same. */
  update(now: StatusFrame | null, isLost: boolean, isSilent: boolean): void {
    const news = now && newsOf(this.before, now, this.title());
    if (!isSilent && news) this.say(news);
    if (!isSilent && isLost && !this.wasLost && this.before) {
      this.say({ text: `${this.title()}: no kernel any more`, isUrgent: true });
    }
    this.before = now;
    this.wasLost = isLost;
  }

  private say({ text, isUrgent }: News): void {
    (isUrgent ? this.urgent : this.calm).textContent = text;
  }
}
