// The training program of the README as one minified module for browsers, made by esbuild from the built packages.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The text of the bundle, and what esbuild knows of its parts; `last` is code to be run after the program. */
export async function readmeBundle(last) {
  const readme = readFileSync(join(root, "README.md"), "utf8").replaceAll("\r\n", "\n");
  const program = /^## Twenty lines\n\n```ts\n([\s\S]*?)^```/m.exec(readme)?.[1];
  if (program === undefined) throw new Error("The README has no training program under `Twenty lines`.");
  const { outputFiles, metafile } = await build({
    stdin: { contents: `${program}\n${last}`, resolveDir: join(root, "examples"), loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    outfile: "readme.js",
  });
  return { code: outputFiles[0].text, inputs: Object.values(metafile.outputs)[0].inputs };
}
