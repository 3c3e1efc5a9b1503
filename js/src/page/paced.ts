/** Says something at once, and while it is said again and again, only a few times per second. */

/**
 * Between two times. Whatever a page says has JupyterLab show that the kernel is busy, and not: its
 * icons and that of the tab are made anew. For each move of a hand that takes longer than a frame.
 */
const PAUSE = 250;

export interface Paced {
  (): void;
  /** Say what still waits, if anything does. */
  now: () => void;
}

/** Return a function that calls `say`: now, or after the pause, then once for all of its calls. */
export function paced(say: () => void): Paced {
  let rests = true;
  let isWanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    rests = !isWanted;
    if (isWanted) speak();
  };
  const speak = (): void => {
    rests = isWanted = false;
    clearTimeout(timer);
    say();
    timer = setTimeout(next, PAUSE);
  };
  const tell = (): void => {
    isWanted = true;
    if (rests) speak();
  };
  return Object.assign(tell, { now: () => (isWanted ? speak() : undefined) });
}

/** Have nothing wait when a hand lets go, or the page goes: before its farewell, which captures nothing. */
export function hasten({ now }: Paced, signal: AbortSignal): void {
  addEventListener("pagehide", now, { signal, capture: true });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, now, { signal });
}
