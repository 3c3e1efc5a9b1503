/** Where an element is: in the document, and within sight. */

/** Tell whether an element is within sight in a tab that is. */
export function watchVisibility(
  element: Element,
  callback: (visible: boolean) => void,
  signal: AbortSignal,
): void {
  let within = false;
  const tell = (): void => callback(within && document.visibilityState !== "hidden");
  const observer = new IntersectionObserver((entries) => {
    within = entries.at(-1)?.isIntersecting ?? false;
    tell();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", tell, { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    callback(false);
  });
}

/** Call back once the element is in the document: only then are its ancestors known. */
export function whenAttached(element: Element, callback: () => void, signal: AbortSignal): void {
  if (element.isConnected) {
    callback();
    return;
  }
  const observer = new ResizeObserver(() => {
    if (!element.isConnected) return;
    observer.disconnect();
    callback();
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
