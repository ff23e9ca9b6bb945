// Makes `dist/flat` of a package: the same entries in few files. Node takes a millisecond for each file that it loads, and a
// package has hundreds; bundlers are given the many files, of which they leave out what a program does not use. In a
// package's folder `node ../../scripts/flat.mjs` does it, after `pure.mjs` and before packing.
import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";

const { publishConfig } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = publishConfig.exports;
const paths = Object.values(entries).map((entry) => entry.default);
/** What nearly every program loads. */
const core = resolve((entries["./functional"] ?? entries["."]).default);

/**
 * Lets all entries import the core, so that what several of them share is one file. Otherwise there would be a file for each set of
 * entries that share something.
 */
const together = {
  name: "together",
  setup({ onLoad }) {
    const others = new Set(paths.map((path) => resolve(path)).filter((path) => path !== core));
    onLoad({ filter: /\.js$/ }, ({ path }) =>
      others.has(path) ? { contents: `import ${JSON.stringify(core)}; ${readFileSync(path, "utf8")}` } : null,
    );
  },
};

rmSync("dist/flat", { recursive: true, force: true });
await build({
  entryPoints: paths,
  outbase: "dist",
  outdir: "dist/flat",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "node",
  packages: "external",
  // What an entry imports is kept, though it uses nothing of it.
  ignoreAnnotations: true,
  sourcemap: true,
  sourcesContent: false,
  plugins: [together],
  logLevel: "warning",
});
