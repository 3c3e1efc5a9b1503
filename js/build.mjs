/** Bundle what runs in the browser into `udfwidgets/static/`. */

import { readFile } from "node:fs/promises";
import * as esbuild from "esbuild";

/** A style sheet is a text in the module that needs it. */
const styleAsText = {
  name: "style-as-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { code } = await esbuild.transform(source, { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text", watchFiles: [path] };
    });
  },
};

const options = {
  entryPoints: { live: "js/src/live.ts", loader: "js/src/loader.ts", shapes: "js/src/shapes.ts" },
  outdir: "udfwidgets/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  // The one goes to the browser with every kernel, the other with every widget.
  minify: true,
  logLevel: "info",
  plugins: [styleAsText],
};

if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
else await esbuild.build(options);
