// node scripts/docs.mjs: writes the generated documents from the built packages.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formula, registry } from "../packages/autograd/dist/index.js";
import { opsDocument, opsSources } from "./ops-document.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
writeFileSync(join(root, "docs", "ops.md"), opsDocument({ registry, formula, sources: opsSources(root) }));
