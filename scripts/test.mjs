// node scripts/test.mjs [--compiled] [vitest's arguments]: runs the tests once, or with --compiled those that evaluate with
// everything compiled (`test/compiled.ts`); without colour codes where nobody sees colours.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const compiled = process.argv.includes("--compiled");
const env = { ...process.env };
if (!process.stdout.isTTY) env.NO_COLOR = "1";
if (compiled) env.COMPILED = "1";
const rest = process.argv.slice(2).filter((argument) => argument !== "--compiled");
const { status } = spawnSync(process.execPath, [vitest, "run", ...rest], {
  env,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
