/** What a person can set about an image: plain data, and the contract of whoever keeps it. */

/** How large one of something is, and in what. */
export type Scale = [size: number, unit: string];
/** Along y and along x; null where nobody knows. */
export type Units = readonly [y: Scale | null, x: Scale | null];

export interface Settings {
  title: string;
  colormap: string;
  log_scale: boolean;
  gamma: number;
  auto: boolean;
  limits: number[];
  overlay: boolean;
  component: string;
  arrows: boolean;
  /** Notebooks that were saved by an older version have none of these. */
  linked?: boolean;
  ruler?: number[];
  /** How large a pixel is along y and along x; null where it is not known. */
  units: [Scale | null, Scale | null];
  /** How much a value of 1 is, first in its own unit; empty where that is not known. */
  value_units: Scale[];
  /** Of the whole image, in CSS pixels; 0 for as much as there is room. */
  width: number;
}

export interface Keeper<Values> {
  get<Name extends keyof Values & string>(name: Name): Values[Name];
  /** Change values, for all views and for Python. */
  set(values: Partial<Values>): void;
  onChange(callback: () => void, signal: AbortSignal): void;
}

/** The visible range, shared with everything else that is drawn over the image. */
export interface Axes {
  get(): { x0: number; x1: number; y0: number; y1: number };
  set(window: { x0: number; x1: number; y0: number; y1: number }): void;
  onChange(callback: () => void, signal: AbortSignal): void;
}
