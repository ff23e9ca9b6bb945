// node scripts/docs.mjs [--check]: writes docs/ops.md and docs/api from the built packages; with `--check` it complains
// instead where they differ.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formula, registry } from "../packages/autograd/dist/index.js";
import { apiReports } from "./api-report.mjs";
import { opsDocument, opsSources } from "./ops-document.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");

put("docs/ops.md", opsDocument({ registry, formula, sources: opsSources(root) }));
mkdirSync(join(root, "docs", "api"), { recursive: true });
for (const { file, text } of apiReports(root)) put(`docs/api/${file}`, text);

function put(name, text) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, "utf8").replaceAll("\r\n", "\n") === text) return;
  if (!check) return writeFileSync(path, text);
  console.error(`${name} is out of date: \`pnpm run docs\` writes it`);
  process.exitCode = 1;
}
