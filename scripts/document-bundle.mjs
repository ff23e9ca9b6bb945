// A program of the documents as one minified module for browsers, made by esbuild from the built packages.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { packed } from "./pure.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The first program below a heading of a document. */
export function documentProgram({ document, heading }) {
  const text = readFileSync(join(root, document), "utf8").replaceAll("\r\n", "\n");
  const below = text.split(new RegExp(`^## ${heading}$`, "m"))[1] ?? "";
  const program = /^```ts\n([\s\S]*?)^```/m.exec(below)?.[1];
  if (program === undefined) throw new Error(`${document} has no program under "${heading}".`);
  return program;
}

/** The text of the bundle of such a program, and what esbuild knows of its parts. `last` is code to be run after the program. */
export async function documentBundle(place, last) {
  const program = documentProgram(place);
  const { outputFiles, metafile } = await build({
    stdin: { contents: `${program}\n${last}`, resolveDir: join(root, "examples"), loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    outfile: "program.js",
    plugins: [asPacked],
  });
  return { code: outputFiles[0].text, inputs: Object.values(metafile.outputs)[0].inputs };
}

/** The built packages as they are packed. */
const asPacked = {
  name: "packed",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]packages[\\/]\w+[\\/]dist[\\/].*\.js$/ }, ({ path }) => ({
      contents: packed(path, readFileSync(path, "utf8")),
    })),
};

/** The twenty lines of the README: methods and all. */
export const chaining = { document: "README.md", heading: "Twenty lines" };

/** Training with functions alone. */
export const functional = { document: "docs/guides/build-a-model.md", heading: "For a small page" };
