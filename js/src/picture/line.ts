/**
 * What is no image: a line, which bqplot draws, and a number.
 *
 * Both come as the pixels of a row. Those of a line are handed to the model of bqplot's mark here, on
 * the page, as often as there is something new: no other message has to travel for it.
 */

import { make, say } from "../page/dom";
import { decode } from "../wire/codec";
import { setWidth } from "./corner";
import type { ImageStore } from "../wire/store";
import { plainLine } from "./plain";
import { slider, type Slices } from "./slices";
import { showTitle } from "./toolbar";
import { giveRoom, type Margin } from "./view";
import { whenAttached } from "../page/attached";

/** A model whose values are set without telling Python, which knows them. */
export interface LineModel {
  set(values: Record<string, unknown>): void;
}

export interface PlotPlace {
  element: HTMLElement;
  store: ImageStore;
  title: () => string;
  /** The number, in digits. */
  text: () => string;
  margin: Margin;
  ratio: number;
  /** Of all of it, in CSS pixels; 0 for as much as there is room. */
  width: () => number;
  slices: Slices;
  /** Call back when the title, the text, the width or the line is another one. */
  onChange: (callback: () => void) => void;
  line: () => Promise<LineModel | null>;
}

export function showLine(place: PlotPlace, signal: AbortSignal): void {
  const { store } = place;
  let line: LineModel | null = null;
  const draw = (): void => {
    const y = valuesOf(store);
    if (y.length > 0) line?.set({ y });
  };
  const adopt = async (): Promise<void> => {
    line = await place.line().catch(() => plainLine(shell, place.margin));
    if (!signal.aborted) draw();
  };
  const shell = show(place, draw, signal);
  shell.dataset.udfwKind = "line";
  place.onChange(() => void adopt());
  void adopt();
}

export function showNumber(place: PlotPlace, signal: AbortSignal): void {
  const number = make("div", { className: "udfw-number" });
  const draw = (): void => {
    say(number, place.text());
  };
  const shell = show(place, draw, signal);
  shell.dataset.udfwKind = "number";
  shell.append(number);
  place.onChange(draw);
  draw();
}

/** Show what both have, and keep it up to date. */
function show(place: PlotPlace, draw: () => void, signal: AbortSignal): HTMLElement {
  const { element, store, margin } = place;
  const title = make("div", { className: "udfw-title" });
  const progress = make("div", { className: "udfw-progress" });
  progress.style.left = `${margin.left}px`;
  progress.style.right = `${margin.right}px`;
  progress.style.bottom = `${margin.bottom}px`;
  const slices = slider(place.slices, signal);
  const shell = make(
    "div",
    { className: "udfw-view udfw-plotted" },
    make("div", { className: "udfw-header" }, title),
    slices.element,
    progress,
  );
  const update = (): void => {
    const { frame } = store;
    slices.update();
    progress.style.transform = `scaleX(${frame?.fraction ?? 0})`;
    progress.dataset.udfwState = !frame ? "waiting" : frame.final ? "final" : "live";
    shell.dataset.udfwState = progress.dataset.udfwState;
    shell.dataset.udfwFraction = String(frame?.fraction ?? 0);
    draw();
  };
  const root = (): HTMLElement => element.closest<HTMLElement>(".udfw-image") ?? element;
  const titled = (): void => {
    showTitle(title, place.title());
    setWidth(root(), place.width());
  };
  titled();
  place.onChange(titled);
  store.views.add(update);
  signal.addEventListener("abort", () => {
    store.views.delete(update);
    shell.remove();
  });
  element.append(shell);
  whenAttached(
    shell,
    () => {
      giveRoom(root(), place);
      titled();
    },
    signal,
  );
  update();
  return shell;
}

/** The numbers of a row; NaN, which bqplot leaves out, where there is none. */
export function valuesOf({ frame, codes }: ImageStore): Float64Array {
  return frame ? Float64Array.from(codes, (code) => decode(code, frame)) : new Float64Array(0);
}
