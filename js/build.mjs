/** Bundle what runs in the browser into `udfwidgets/static/`. */

import * as esbuild from "esbuild";

const options = {
  entryPoints: { live: "js/src/live.ts" },
  outdir: "udfwidgets/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  // Every widget carries its source to the browser, so it should be small.
  minify: true,
  logLevel: "info",
};
const style = { entryPoints: ["js/src/live.css"], outdir: "udfwidgets/static", bundle: true, minify: true };

if (process.argv.includes("--watch")) {
  for (const each of [options, style]) await (await esbuild.context(each)).watch();
} else {
  for (const each of [options, style]) await esbuild.build(each);
}
