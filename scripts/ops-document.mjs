// The text of docs/ops.md, from the registry and the sources of the ops.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";

/** The sources of the registry and the types of its functions below the root of the repository: path from `ops/` on, and text. */
export function opsSources(root) {
  const folder = join(root, "packages", "autograd", "src", "ops");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .concat(join("..", "attention.ts"), join("..", "signature.ts"))
    .map((path) => ({
      path: path.split(sep).join("/"),
      text: readFileSync(join(folder, path), "utf8").replaceAll("\r\n", "\n"),
    }));
}

/** docs/ops.md: every function of the registry, by file, in the order of the sources. */
export function opsDocument({ registry, formula, sources }) {
  const files = new Map();
  const listed = sources.find(({ path }) => path === "methods.ts").text;
  for (const [name, f] of registry) {
    const file = sources.find(({ text }) => declarationOf(text, name) >= 0);
    if (file === undefined) throw new Error(`No file of ops/ has \`export const ${name}\`.`);
    const entries = files.get(file) ?? [];
    const isMethod =
      listed.includes(`"./${file.path}"`) && chains(typeOf(file.text, name), file.text, sources);
    const text = entry(name, f, docstring(file.text, name), formula, isMethod);
    entries.push({ at: declarationOf(file.text, name), text });
    files.set(file, entries);
  }
  const sections = [...files].map(([{ path, text }, entries]) => {
    const link = `[${path.replace("../", "")}](../packages/autograd/src/${posix.join("ops", path)})`;
    entries.sort((a, b) => a.at - b.at);
    return [`## ${link}`, introduction(text), entries.map((each) => each.text).join("\n")]
      .filter(Boolean)
      .join("\n\n");
  });
  return `${head(registry.size)}\n\n${sections.join("\n\n")}\n`;
}

const head = (count) => `# Ops

Written by \`pnpm run docs\` from the registry; do not edit. The ${count} functions by file, from what is primitive to what is
made of it. Under each stand its formula, where it has one element by element; how it is computed (the kind of its kernel, or
a composition of other functions); how its result depends on each operand (\`zero\`: not, or by jumps; \`partial\`: by a
partial derivative, \`singular\` if that can be infinite; \`linear\`, \`bilinear\`: by its own adjoint; \`pushforward\`: by a
forward rule); whether it is a method of tensors too, \`x.tanh()\` for \`tanh(x)\`; and its kink, tie or jump, if it has one.
[semantics.md](semantics.md) compares the edges with PyTorch's.`;

function entry(name, { op, kink }, text, formula, isMethod) {
  const facts = [];
  if (op === null) facts.push("composition");
  else {
    const { kernel, derivatives } = op;
    const operands = ["x", "y", "z", "w"].slice(0, derivatives.length);
    if (kernel.kind === "pointwise") facts.push(`\`${formula(kernel.body, operands)}\``);
    facts.push(kernel.kind, `derivative ${derivatives.map(kindOf).join(", ") || "none"}`);
  }
  if (isMethod) facts.push("method");
  const lines = [
    `- **${name}**: ${firstSentence(text.replace(/\s@\w+[\s\S]*$/, ""))}`,
    `  - ${facts.join("; ")}`,
  ];
  const told = /(?:^|\s)@kink ([^@]+)/.exec(text)?.[1].trim();
  if ((kink === null) !== (told === undefined))
    throw new Error(
      `${name}: give both, \`kink\` and the sentence after @kink in its docstring, or neither.`,
    );
  if (told !== undefined) lines.push(`  - kink: ${told}`);
  return lines.join("\n");
}

function kindOf(derivative) {
  return derivative.kind === "partial" && derivative.singular ? "singular" : derivative.kind;
}

function declarationOf(text, name) {
  return text.search(new RegExp(`^export (?:const|function) ${name}\\b`, "m"));
}

/** The name of the type that a function is declared with; none if the type is written out. */
function typeOf(text, name) {
  return new RegExp(`^export const ${name}: (\\w+)`, "m").exec(text)?.[1];
}

/** Does the type called `name` in a file say what it is as a method, or is it another name of one that does? */
function chains(name, text, sources) {
  const signatures = sources.find(({ path }) => path.endsWith("signature.ts")).text;
  const declaration = new RegExp(
    `^(?:export )?(?:interface ${name}\\b[\\s\\S]*?^\\}|type ${name}\\b[\\s\\S]*?;$)`,
    "m",
  );
  const found = (declaration.exec(text) ?? declaration.exec(signatures))?.[0] ?? "";
  const other = /^[^{(]*? (?:=|extends) (\w+)\b/.exec(found)?.[1];
  return found.includes("[chained]") || (other !== undefined && chains(other, text, sources));
}

/** The docstring right before the declaration, with its tags, as running text. */
function docstring(text, name) {
  const before = text.slice(0, declarationOf(text, name));
  const start = before.lastIndexOf("/**");
  if (start < 0 || !before.trimEnd().endsWith("*/") || before.slice(start).includes("*/\n\n"))
    throw new Error(`${name} has no docstring.`);
  return prose(before.slice(start));
}

/** The comment at the head of a file: one that no declaration follows at once. */
function introduction(text) {
  const comment = /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/(?=\n\n|\n(?:import|export \{\}))/m.exec(text)?.[0];
  return comment === undefined ? "" : prose(comment);
}

function prose(comment) {
  return comment
    .replace(/^\/\*\*|\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .join(" ")
    .trim();
}

/** Up to the first full stop or question mark that is not part of code or of an abbreviation. */
function firstSentence(text) {
  let code = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "`") code = !code;
    else if (!code && /^[.?!](?:\s|$)/.test(text.slice(i)) && !unfinished.test(text.slice(0, i + 1)))
      return text.slice(0, i + 1);
  }
  return text;
}

const unfinished = /(?:\.\.|\b(?:e\.g|i\.e|cf|vs|etc|al)\.)$/;
