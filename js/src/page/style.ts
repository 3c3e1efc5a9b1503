/** Puts style sheets into the page. */

/** Make sure that the page has one; a change of style sheets has the browser restyle everything. */
export function dress(page: Document, id: string, css: string): void {
  const there = page.getElementById(id);
  if (there?.textContent === css) return;
  const style = page.createElement("style");
  style.id = id;
  style.textContent = css;
  there?.remove();
  page.head.append(style);
}
