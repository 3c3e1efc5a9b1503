/** What a person can set about an image: plain data, and the contract of whoever keeps it. */

export interface Settings {
  title: string;
  colormap: string;
  log_scale: boolean;
  gamma: number;
  auto: boolean;
  limits: number[];
  overlay: boolean;
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
