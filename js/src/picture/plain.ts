/** A line without axes, where bqplot cannot be loaded. */

import type { LineModel } from "./line";
import type { Margin } from "./view";

const SVG = "http://www.w3.org/2000/svg";

/** Put a drawing into a view; what it returns takes the place of bqplot's mark. */
export function plainLine(shell: HTMLElement, margin: Margin): LineModel {
  const found = shell.querySelector(".udfw-plain path");
  const path = found ?? document.createElementNS(SVG, "path");
  if (!found) {
    const svg = document.createElementNS(SVG, "svg");
    svg.classList.add("udfw-plain");
    svg.setAttribute("viewBox", "0 0 1 1");
    svg.setAttribute("preserveAspectRatio", "none");
    const { top, bottom, left, right } = margin;
    svg.style.inset = `${top}px ${right}px ${bottom}px ${left}px`;
    svg.style.width = `calc(100% - ${left + right}px)`;
    svg.style.height = `calc(100% - ${top + bottom}px)`;
    svg.append(path);
    shell.append(svg);
  }
  return { set: ({ y }) => path.setAttribute("d", outline(y as ArrayLike<number>)) };
}

/** The outline of numbers in a square of one by one, with a gap where there is none. */
export function outline(y: ArrayLike<number>): string {
  const numbers = Array.from(y);
  const finite = numbers.filter((each) => Number.isFinite(each));
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const span = finite.reduce((a, b) => Math.max(a, b), -Infinity) - low || 1;
  const last = Math.max(1, numbers.length - 1);
  let pen = "M";
  let d = "";
  numbers.forEach((each, i) => {
    const there = Number.isFinite(each);
    if (there) d += `${pen}${i / last},${1 - (each - low) / span}`;
    pen = there ? "L" : "M";
  });
  return d;
}
