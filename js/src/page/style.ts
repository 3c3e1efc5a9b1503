/** Puts style sheets into the page. */

/** Make sure that the page has one; a change of style sheets has the browser restyle everything. */
export function dress(page: Document | ShadowRoot, id: string, css: string): void {
  const there = page.getElementById(id);
  if (there?.textContent === css) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = css;
  there?.remove();
  (page instanceof ShadowRoot ? page : page.head).append(style);
}
