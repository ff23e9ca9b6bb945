// node scripts/test.mjs [vitest's arguments]: runs the tests once, without colour codes where nobody sees colours.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: "1" };
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
