// Makes the modules of a package such that a program carries only what it uses of them. In a package's folder
// `node ../../scripts/pure.mjs` rewrites the files of `dist` so, before they are packed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const mark = "/* @__PURE__ */ ";

/** The module as it is packed. */
export function packed(path, code) {
  return marked(path, listed(path, code));
}

/**
 * The module with a mark before each call that makes a constant, which tells bundlers that it has no effect but its result;
 * marks that are there already stay.
 */
function marked(path, code) {
  const starts = new Set();
  for (const statement of parseSync(path, code).program.body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared?.type !== "VariableDeclaration" || declared.kind !== "const") continue;
    for (const { init } of declared.declarations) collectCalls(init, starts);
  }
  const isMarked = (start) => code.slice(0, start).endsWith(mark);
  return edited(
    code,
    [...starts].filter((start) => !isMarked(start)).map((start) => ({ start, end: start, text: mark })),
  );
}

/** Where calls begin that run when the module does: none inside of functions. */
function collectCalls(node, starts) {
  if (Array.isArray(node)) for (const child of node) collectCalls(child, starts);
  if (typeof node?.type !== "string" || node.type.includes("Function") || node.type === "ClassBody") return;
  if (node.type === "CallExpression" || node.type === "NewExpression") starts.add(node.start);
  for (const child of Object.values(node)) if (typeof child === "object") collectCalls(child, starts);
}

/**
 * The module with an array of what another one exports in place of the other one itself (`import * as`), where this stands in
 * arrays only: bundlers would make an object of it, names and all.
 */
function listed(path, code) {
  const { body } = parseSync(path, code).program;
  const edits = body.flatMap(({ type, source, specifiers, start, end }) => {
    if (type !== "ImportDeclaration" || specifiers[0]?.type !== "ImportNamespaceSpecifier") return [];
    const { name } = specifiers[0].local;
    const uses = usesOf(name, body);
    if (!source.value.startsWith(".") || !uses.every(({ inArray }) => inArray)) return [];
    const exported = exportsOf(join(dirname(path), source.value));
    const own = (x) => `${name}_${x}`;
    const imports = exported.map((x) => `${x} as ${own(x)}`).join(", ");
    const list = `[${exported.map(own).join(", ")}]`;
    const places = uses.map((use) => ({ start: use.start, end: use.end, text: list }));
    return [{ start, end, text: `import { ${imports} } from "${source.value}";` }, ...places];
  });
  return edited(code, edits);
}

/** Where a name stands below `node`, but for imports. */
function usesOf(name, node, inArray = false) {
  if (Array.isArray(node)) return node.flatMap((child) => usesOf(name, child, inArray));
  if (node === null || typeof node !== "object" || node.type === "ImportDeclaration") return [];
  if (node.type === "Identifier" && node.name === name)
    return [{ start: node.start, end: node.end, inArray }];
  return Object.values(node).flatMap((child) => usesOf(name, child, node.type === "ArrayExpression"));
}

/** The names that a module exports, in the order that `import *` has. */
function exportsOf(path) {
  const { body } = parseSync(path, readFileSync(path, "utf8")).program;
  const names = body.flatMap(({ type, declaration, specifiers }) => {
    if (type === "ExportAllDeclaration" || type === "ExportDefaultDeclaration")
      throw new Error(`${path} exports more than names; import from it by name`);
    if (type !== "ExportNamedDeclaration") return [];
    if (declaration === null) return specifiers.map(({ exported }) => exported.name);
    return (declaration.declarations ?? [declaration]).map(({ id }) => id.name);
  });
  return names.sort();
}

function edited(code, edits) {
  let text = code;
  for (const { start, end, text: between } of edits.sort((a, b) => b.start - a.start))
    text = text.slice(0, start) + between + text.slice(end);
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of readdirSync("dist", { recursive: true })) {
    const path = join("dist", name);
    if (name.endsWith(".js")) writeFileSync(path, packed(path, readFileSync(path, "utf8")));
    // The next build starts anew: a list must not outlive the exports that it was made of.
    if (name.endsWith(".tsbuildinfo")) rmSync(path);
  }
