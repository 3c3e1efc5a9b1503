/** What is under the pointer, in words that nobody takes for a size: "y 32, x 38: 1234". */

import { unitText } from "../page/format";
import type { Scale, Settings } from "../page/settings";

type Units = Pick<Settings, "units" | "value_units">;

/** Say where a pixel is, in pixels and where it is known in units. */
export function placeText(y: number, x: number, [ofY, ofX]: Units["units"]): string {
  return `${along("y", y, ofY)}, ${along("x", x, ofX)}`;
}

/** Say how large a pixel is, as far as that is known; nothing where it is not. */
export function sizeText([y, x]: Units["units"]): string {
  const [down, across] = [y, x].map((scale) => scale && `${Number(scale[0].toPrecision(4))} ${scale[1]}`);
  if (down === across) return down ? `of ${down}` : "";
  const each = [down && `${down} along y`, across && `${across} along x`];
  return `of ${each.filter(Boolean).join(" and ")}`;
}

/** Say what a value is, in its own unit and in others. */
export function valueText(value: number, spelt: string, units: Units["value_units"]): string {
  const own = units.at(0);
  if (!own || Number.isNaN(value)) return spelt;
  const also = units.slice(1).map(([size, unit]) => `${digits(value * size)} ${unitText(unit)}`);
  return [`${spelt} ${unitText(own[1])}`, ...also].join(" = ");
}

function along(name: string, pixel: number, scale: Scale | null): string {
  if (!scale) return `${name} ${pixel}`;
  const [size, unit] = scale;
  // Neighbours differ in the last digit but one.
  const places = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(size))));
  return `${name} ${pixel} px = ${(pixel * size).toFixed(places)} ${unitText(unit)}`;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4))).replace("-", "\u2212");
}
