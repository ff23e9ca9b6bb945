// Tells bundlers that what makes the constants of a module has no effect but its result, so that a program carries only the ops
// that it uses. In a package's folder `node ../../scripts/pure.mjs` marks the files of `dist`, before they are packed.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const mark = "/* @__PURE__ */ ";

/** The module with a mark before each call that makes a constant; marks that are there already stay. */
export function marked(path, code) {
  const starts = new Set();
  for (const statement of parseSync(path, code).program.body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared?.type !== "VariableDeclaration" || declared.kind !== "const") continue;
    for (const { init } of declared.declarations) collectCalls(init, starts);
  }
  let text = code;
  for (const start of [...starts].sort((a, b) => b - a))
    if (!code.slice(0, start).endsWith(mark)) text = text.slice(0, start) + mark + text.slice(start);
  return text;
}

/** Where calls begin that run when the module does: none inside of functions. */
function collectCalls(node, starts) {
  if (Array.isArray(node)) for (const child of node) collectCalls(child, starts);
  if (typeof node?.type !== "string" || node.type.includes("Function") || node.type === "ClassBody") return;
  if (node.type === "CallExpression" || node.type === "NewExpression") starts.add(node.start);
  for (const child of Object.values(node)) if (typeof child === "object") collectCalls(child, starts);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of readdirSync("dist", { recursive: true }).filter((name) => name.endsWith(".js"))) {
    const path = join("dist", name);
    writeFileSync(path, marked(path, readFileSync(path, "utf8")));
  }
