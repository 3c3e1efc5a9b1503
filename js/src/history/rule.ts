/** The stop rule of a card: a number at which the run ends, and how far the signal is. */

import { hide, keepKeys, make, say } from "../page/dom";
import { short } from "../page/format";
import type { StatusFrame } from "../wire/protocol";
import type { Points } from "./curve";

/** Where nobody has said another one. */
const USUAL = "100";

export interface RulePlace {
  status: () => StatusFrame | null;
  /** Stop at a ratio; null: do not look. */
  aim: (goal: number | null) => void;
  connected: () => boolean;
  /** Whether there is anything to stop. */
  stops: () => boolean;
}

export class Rule {
  readonly element = make("div", { className: "udfw-rule" });
  private readonly box = make("input", { label: "Stop by signal to noise" });
  private readonly goal = make("input", { label: "Signal to noise to stop at" });
  private readonly output = make("output");
  private curve: [number, number][] = [];

  constructor(
    private readonly place: RulePlace,
    signal: AbortSignal,
  ) {
    this.box.type = "checkbox";
    this.goal.type = "number";
    this.goal.min = "0";
    this.goal.step = "any";
    this.goal.value = USUAL;
    for (const input of [this.box, this.goal]) {
      keepKeys(input);
      input.addEventListener("change", () => this.aim(), { signal });
    }
    const text = make("span", { text: "Stop at signal to noise" });
    this.element.append(make("label", {}, this.box, text), this.goal, this.output);
  }

  /** Share of the scan and ratio, as they came. */
  get points(): Points {
    return this.curve;
  }

  /** Take in what the kernel says; also while nothing of it is shown. */
  note(): void {
    const status = this.place.status();
    const ratio = status?.ratio ?? null;
    if (!status || ratio === null) return;
    const last = this.curve.at(-1);
    if (last && status.fraction < last[0]) this.curve = [];
    if (last && status.fraction === last[0]) this.curve.pop();
    // What is told at first of a run that begins is the ratio of the one before.
    if (ratio > 0 && status.fraction > 0) this.curve.push([status.fraction, ratio]);
    if (this.curve.length > 512) this.curve = this.curve.filter((_, i) => i % 2 === 0);
  }

  update(): void {
    const status = this.place.status();
    const goal = status?.goal ?? null;
    const connected = this.place.connected();
    hide(this.element, !this.place.stops());
    this.box.disabled = this.goal.disabled = !connected;
    if (this.box !== document.activeElement) this.box.checked = goal !== null;
    if (this.goal !== document.activeElement && goal !== null) this.goal.value = String(goal);
    const ratio = status?.ratio ?? null;
    say(this.output, goal === null ? "" : ratio === null ? "not known yet" : `now ${short(ratio)}`);
  }

  private aim(): void {
    const goal = this.goal.valueAsNumber;
    this.goal.setAttribute("aria-invalid", String(!(goal > 0)));
    if (goal > 0) this.place.aim(this.box.checked ? goal : null);
  }
}
