// Makes `dist/flat` of a package: the same entries in few files. Node takes a millisecond for each file that it loads, and a
// package has hundreds; bundlers are given the many files, of which they leave out what a program does not use. In a
// package's folder `node ../../scripts/flat.mjs` does it, after `pure.mjs` and before packing.
import { readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const { publishConfig } = JSON.parse(readFileSync("package.json", "utf8"));
rmSync("dist/flat", { recursive: true, force: true });
await build({
  entryPoints: Object.values(publishConfig.exports).map((entry) => entry.default),
  outbase: "dist",
  outdir: "dist/flat",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "node",
  packages: "external",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
});
