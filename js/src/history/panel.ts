/** The row of a card in which a person goes back to what its pictures were. */

import { iconButton, keepKeys, make } from "../page/dom";
import { percent } from "../page/format";
import { changes, drawCurves, type Line } from "./curve";
import { pastOf, type Past } from "./past";
import { Rule, type RulePlace } from "./rule";

export class Panel {
  readonly button = iconButton("history", "What the pictures were");
  readonly element = make("div", { className: "udfw-past" });
  private readonly slider = make("input", { label: "Share of the scan that was in" });
  private readonly output = make("output");
  private readonly curve = make("canvas", { className: "udfw-curve" });
  private readonly buttons = {
    play: iconButton("play", "Play"),
    difference: iconButton("difference", "What has come since"),
    blink: iconButton("blink", "Then and now by turns (B)"),
  };
  private readonly rule: Rule;
  private past: Past | null = null;
  private drawn = "";
  /** Of the run that is shown. */
  private fraction = 0;

  constructor(
    private readonly place: RulePlace,
    private readonly signal: AbortSignal,
  ) {
    this.element.hidden = true;
    this.rule = new Rule(place, signal);
    this.slider.type = "range";
    this.slider.min = "0";
    keepKeys(this.slider);
    const { play, difference, blink } = this.buttons;
    const row = make("div", { className: "udfw-scrub" }, play, this.slider, this.output, difference, blink);
    this.curve.setAttribute("role", "img");
    this.curve.setAttribute("aria-label", "How much the picture still changes");
    this.element.append(row, this.curve, this.rule.element);
    const on = (element: HTMLElement, type: string, act: () => void): void =>
      element.addEventListener(type, act, { signal });
    on(this.button, "click", () => this.toggle());
    on(this.slider, "input", () => this.scrub());
    on(play, "click", () => this.past?.play());
    on(difference, "click", () => this.past?.compare(!this.past.difference));
    on(blink, "click", () => this.past?.blink());
    this.button.setAttribute("aria-expanded", "false");
  }

  /** Follow the card around it, from when it is in the document. */
  join(root: Element): void {
    this.past = pastOf(root);
    this.past.onChange(() => this.update(), this.signal);
    const observer = new ResizeObserver(() => this.update());
    observer.observe(this.curve);
    this.signal.addEventListener("abort", () => observer.disconnect());
    this.update();
  }

  /** Take in what the kernel says of the run. */
  note(): void {
    const fraction = this.place.status()?.fraction ?? 0;
    // Another run is looked at as it comes.
    if (fraction < this.fraction) this.past?.show(null);
    this.fraction = fraction;
    this.rule.note();
    this.update();
  }

  /** Show what is remembered by now; nothing is done for a row that is not open. */
  update(): void {
    const { past } = this;
    if (!past || this.element.hidden) return;
    const { moments } = past;
    const last = Math.max(0, moments.length - 1);
    this.slider.max = String(last);
    const { share } = past;
    const index = share === null ? last : moments.filter((each) => each < share - 1e-9).length;
    this.slider.value = String(index);
    this.slider.disabled = last === 0;
    const word = share === null ? "now" : percent(moments.at(index) ?? 0);
    this.output.textContent = past.difference ? `since ${word}` : word;
    for (const [name, on] of Object.entries({
      play: past.isPlaying,
      difference: past.difference,
      blink: past.isBlinking,
    })) {
      this.buttons[name as keyof typeof this.buttons].setAttribute("aria-pressed", String(on));
    }
    this.rule.update();
    this.draw(past);
  }

  private draw(past: Past): void {
    const record = [...past.records].at(0);
    const by = JSON.stringify([
      record?.steps.map((step) => step.frame.sequence),
      past.share,
      this.rule.points.length,
      this.curve.clientWidth,
    ]);
    if (!record || by === this.drawn) return;
    this.drawn = by;
    const { color } = getComputedStyle(this.element);
    const lines: Line[] = [{ points: changes(record), colour: color, name: "change" }];
    const style = getComputedStyle(this.curve);
    const accent = style.getPropertyValue("--udfw-accent").trim() || "#1976d2";
    if (this.rule.points.length > 0) {
      lines.push({ points: this.rule.points, colour: accent, name: "signal to noise" });
    }
    drawCurves(this.curve, lines, past.share);
  }

  private toggle(): void {
    this.element.hidden = !this.element.hidden;
    this.button.setAttribute("aria-expanded", String(!this.element.hidden));
    if (this.element.hidden) {
      this.past?.compare(false);
      this.past?.show(null);
    }
    this.update();
  }

  private scrub(): void {
    const { past, slider } = this;
    const moments = past?.moments ?? [];
    const index = slider.valueAsNumber;
    past?.show(index >= moments.length - 1 ? null : moments[index]);
  }
}
