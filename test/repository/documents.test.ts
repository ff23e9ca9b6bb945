/**
 * Runs every `ts` block of the documents and every `@example` of the sources. A block stands alone: it has its own
 * imports. `expression; // => text` compares what the expression gives with the text; "```ts no-run" skips a block.
 * Each block becomes a module of test/.documents, on the same lines as in its document, so a stack trace leads there.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { captureConsole } from "../console.ts";

interface Block {
  /** Path of the document from the root, with forward slashes. */
  readonly document: string;
  /** Line of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const generated = join(root, "test", ".documents");

/** What a user's project has, where arrows are checks; without the flags that ask for more than `strict`. */
const project = JSON.stringify({
  extends: "../tsconfig.json",
  compilerOptions: {
    noUncheckedIndexedAccess: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ["*.ts"],
  exclude: [],
});
const checks = [
  "declare function __check(value: unknown, expected: string): void;",
  "declare function __checkPrinted(expected: string): void;",
  "",
].join("\n");

const packaged = ["packages/autograd/README.md", "packages/nn/README.md"];
const documents = ["README.md", "CONTRIBUTING.md", ...packaged, ...filesBelow("docs", ".md")];
const sources = [...filesBelow("packages/autograd/src", ".ts"), ...filesBelow("packages/nn/src", ".ts")];
const blocks = [
  ...documents.flatMap((path) => (existsSync(join(root, path)) ? markdownBlocks(path, read(path)) : [])),
  ...sources.flatMap((path) => docstringBlocks(path, read(path))),
];

const modules = blocks.map((block) => ({
  title: `${block.document}:${block.line}`,
  file: `${block.document.replaceAll("/", "-")}-${block.line}.ts`,
  code: toModule(block),
}));
writeModules();

describe("the documents", () => {
  // A folder for temporary files that goes with all that the examples leave in it.
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cotangent-documents-"));
    for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, folder);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  for (const { title, file } of modules) {
    test(`${title} runs`, async () => {
      const printed = captureConsole();
      Object.assign(globalThis, { __check: check, __checkPrinted: checkPrinted });
      await import(/* @vite-ignore */ pathToFileURL(join(generated, file)).href);

      function checkPrinted(expected: string): void {
        const text = onOneLine(printed.at(-1) ?? "");
        if (text !== expected) refuse(`prints ${text}, not ${expected}`, checkPrinted);
      }
    });
  }

  test("have no type errors under strict", { timeout: 120_000 }, () => {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", generated], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });

  test("every example in a docstring is a ts block", () => {
    const bare = sources.flatMap((path) => bareExamples(path, read(path)));
    expect(bare).toEqual([]);
  });
});

describe("the reader of documents", () => {
  test("finds blocks with their lines and leaves out what is not run", () => {
    const text = ["# Title", "```ts", "a();", "```", "```ts no-run", "b();", "```", "```sh", "c", "```"].join(
      "\n",
    );
    expect(markdownBlocks("x.md", text)).toEqual([{ document: "x.md", line: 3, code: "a();" }]);
  });

  test("finds the blocks of docstrings", () => {
    const text = [
      "/**",
      " * Adds.",
      " * @example",
      " * ```ts",
      " * add(1,",
      " *   2);",
      " * ```",
      " */",
    ].join("\n");
    expect(docstringBlocks("x.ts", text)).toEqual([{ document: "x.ts", line: 5, code: "add(1,\n  2);" }]);
    expect(bareExamples("x.ts", text)).toEqual([]);
    expect(bareExamples("x.ts", "/** @example add(1, 2) */")).toEqual(["x.ts:1"]);
  });

  test("turns arrows into checks on the line where they stand", () => {
    const code = "f(1); // => 2\nconsole.log(g()); // => [ 3 ]";
    expect(toModule({ document: "x.md", line: 2, code })).toBe(
      '\n__check((f(1)), "2");\nconsole.log(g()); __checkPrinted("[ 3 ]");\nexport {};\n',
    );
  });

  test("refuses an arrow after what is not one expression on one line", () => {
    const block = { document: "x.md", line: 7, code: "const a = 1; // => 1" };
    expect(() => toModule(block)).toThrow("x.md:7: `// =>` needs an expression on one line");
  });
});

/** A value may be written as its string or as the console shows it. */
function check(value: unknown, expected: string): void {
  const shown = onOneLine(inspect(value, { breakLength: Infinity }));
  if (shown !== expected && onOneLine(String(value)) !== expected) {
    refuse(`gives ${shown}, not ${expected}`, check);
  }
}

/** Throws with a trace that begins in the document's block. */
function refuse(message: string, caller: (...values: never[]) => void): never {
  const error = new Error(message);
  Error.captureStackTrace(error, caller);
  throw error;
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .sort()
    .map((path) => `${folder}/${path.split(sep).join("/")}`);
}

function markdownBlocks(document: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; code: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence === null) open?.code.push(line);
    else if (open === undefined) open = { info: fence[1]!.trim(), line: index + 2, code: [] };
    else {
      if (open.info === "ts") blocks.push({ document, line: open.line, code: open.code.join("\n") });
      open = undefined;
    }
  }
  return blocks;
}

/** The sources with everything but the text of their docstrings blanked out, line by line. */
function docstrings(text: string): string {
  let inside = false;
  const lines = text.split("\n").map((line) => {
    if (!inside && !/^\s*\/\*\*/.test(line)) return "";
    const content = line.replace(inside ? /^\s*\* ?/ : /^\s*\/\*\* ?/, "");
    inside = !line.includes("*/");
    return inside ? content : content.replace(/\s*\*?\/\s*$/, "");
  });
  return lines.join("\n");
}

function docstringBlocks(document: string, text: string): Block[] {
  return markdownBlocks(document, docstrings(text));
}

/** The places of `@example` tags that no fence follows. */
function bareExamples(document: string, text: string): string[] {
  const lines = docstrings(text).split("\n");
  return lines.flatMap((line, index) => {
    if (!line.startsWith("@example")) return [];
    const next = lines.slice(index + 1).find((other) => other !== "");
    return next?.startsWith("```ts") ? [] : [`${document}:${index + 1}`];
  });
}

function toModule({ document, line, code }: Block): string {
  const lines = code.split("\n").map((text, index) => {
    const arrow = /^(\s*)(.*?);?\s*\/\/ => (.*)$/.exec(text);
    if (arrow === null) return text;
    const [, indent, expression, result] = arrow;
    const expected = JSON.stringify(onOneLine(result!));
    if (/^(?:const|let|var|return|if|for|import|export|[})\].])/.test(expression!) || expression === "") {
      throw new Error(`${document}:${line + index}: \`// =>\` needs an expression on one line before it`);
    }
    if (expression!.startsWith("console.log(")) return `${indent}${expression}; __checkPrinted(${expected});`;
    return `${indent}__check((${expression}), ${expected});`;
  });
  return `${"\n".repeat(line - 1)}${lines.join("\n")}\nexport {};\n`;
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Writes what differs only: a watching vitest would otherwise start again at each run. */
function writeModules(): void {
  mkdirSync(generated, { recursive: true });
  const wanted = new Map(modules.map(({ file, code }) => [file, code]));
  wanted.set("tsconfig.json", project).set("checks.d.ts", checks);
  for (const file of readdirSync(generated)) if (!wanted.has(file)) rmSync(join(generated, file));
  for (const [file, code] of wanted) {
    const path = join(generated, file);
    if (!existsSync(path) || readFileSync(path, "utf8") !== code) writeFileSync(path, code);
  }
}
