/** The slider that chooses one of several slices of a result. */

import { keepKeys, make, say } from "../page/dom";

export interface Slices {
  /** Axes of which one position is shown; none where there is nothing to choose. */
  axes: readonly number[];
  /** What a slice is called. */
  name: string;
  /** The slice that is in the newest frame. */
  shown: () => number;
  /** Whether anybody is there to send another one. */
  connected: () => boolean;
  choose: (index: number) => void;
}

/** Return the slider, and what has it follow the frames that come. */
export function slider(
  slices: Slices,
  signal: AbortSignal,
): { element: HTMLElement; update: () => void } {
  const { axes } = slices;
  const count = axes.reduce((product, n) => product * n, 1);
  const input = make("input", { label: slices.name || "slice" });
  input.type = "range";
  input.min = "0";
  input.max = String(count - 1);
  const output = make("output");
  const element = make("div", { className: "udfw-slices" }, input, output);
  element.hidden = axes.length === 0;
  keepKeys(input);
  /** What a hand has chosen and no frame has shown yet: older frames do not move the slider. */
  let wanted: number | null = null;
  const update = (): void => {
    const shown = slices.shown();
    if (wanted === shown || !slices.connected()) wanted = null;
    const index = wanted ?? shown;
    if (input.valueAsNumber !== index) input.value = String(index);
    input.disabled = !slices.connected();
    say(output, sliceTitle(slices.name, index, axes));
  };
  const choose = (): void => {
    wanted = input.valueAsNumber;
    slices.choose(wanted);
    update();
  };
  input.addEventListener("input", choose, { signal });
  update();
  return { element, update };
}

/** The name of a slice, as Python writes it: "mask 3", or "[1, 2]". */
export function sliceTitle(name: string, index: number, axes: readonly number[]): string {
  const place: number[] = [];
  let rest = index;
  for (const n of [...axes].reverse()) {
    place.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return name ? `${name} ${place.join(", ")}` : `[${place.join(", ")}]`;
}
