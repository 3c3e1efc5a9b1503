/** Puts the style sheet into the page. */

import css from "./live.css";

const ID = "udfwidgets-style";

/** Make sure that the page has it; a change of style sheets has the browser restyle everything. */
export function dress(page: Document): void {
  const there = page.getElementById(ID);
  if (there?.textContent === css) return;
  const style = page.createElement("style");
  style.id = ID;
  style.textContent = css;
  there?.remove();
  page.head.append(style);
}
