// A program on the packages' sources as one script without imports, for places that have no module loader.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function sourceBundle(program) {
  const { outputFiles } = await build({
    stdin: {
      contents: program,
      resolveDir: fileURLToPath(new URL("../test", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    format: "iife",
    target: "es2022",
    conditions: ["@cotangent/source"],
    define: { "import.meta.url": '"file:///program.js"' },
    write: false,
  });
  return outputFiles[0].text;
}
