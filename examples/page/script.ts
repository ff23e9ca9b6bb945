import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * A module and all that it imports, the library included, as a script that stands in the page. The address of the module has no suffix: it
 * is the source or what was built of it, as this file is.
 */
export async function script(module: URL): Promise<string> {
  const isSource = import.meta.url.endsWith(".ts");
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(module) + (isSource ? ".ts" : ".js")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    conditions: isSource ? ["@cotangent/source"] : [],
    legalComments: "none",
    write: false,
  });
  return `<script type="module">${outputFiles[0]!.text.replaceAll("</script", "<\\/script")}</script>`;
}
