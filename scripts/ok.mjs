// node scripts/ok.mjs [STEP ...]: the gate, or the named steps of it. Steps that only read run side by side and
// print what they say only when they fail; those that need the build for themselves follow one by one, the tests last.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const biome = join(modules, "@biomejs", "biome", "bin", "biome");
const tsc = join(modules, "typescript", "bin", "tsc");
const knip = join(modules, "knip", "bin", "knip.js");
const test = join(root, "scripts", "test.mjs");

/** Each step is a list of commands, run in order. */
const steps = {
  lint: [[biome, "ci", "--error-on-warnings", `--colors=${process.stdout.isTTY ? "force" : "off"}`]],
  types: [
    [tsc, "-b"],
    [tsc, "-p", "test"],
  ],
  unused: [[knip]],
  docs: [
    [tsc, "-b"],
    [join(root, "scripts", "docs.mjs"), "--check"],
  ],
  package: [[tsc, "-b"], [join(root, "scripts", "package.mjs")]],
  bundle: [[tsc, "-b"], [join(root, "scripts", "bundle.mjs")]],
  page: [[tsc, "-b"], [join(root, "scripts", "page.mjs")]],
  engines: [[join(root, "scripts", "engines.mjs")]],
  compiled: [[test, "--compiled"]],
  tests: [[test]],
};

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(steps);
const unknown = names.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`No step ${unknown.join(", ")}. The steps are: ${Object.keys(steps).join(", ")}.`);
  process.exit(1);
}

const alone = ["docs", "package", "bundle", "page", "engines", "compiled"];
const isQuiet = (name) => name !== "tests" && !alone.includes(name);
const quiet = names.filter(isQuiet);
const results = await Promise.all(quiet.map((name) => check(name, "pipe")));
for (const name of alone) if (names.includes(name)) results.push(await check(name, "pipe"));
if (names.includes("tests")) results.push(await check("tests", "inherit"));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function check(name, output) {
  const started = performance.now();
  let text = "";
  let passed = true;
  for (const command of steps[name]) {
    const result = await run(command, output);
    text += result.text;
    passed = result.status === 0;
    if (!passed) break;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (!passed) process.stdout.write(`${text.trim()}\n`);
  console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  return passed;
}

function run(command, output) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", output, output] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
    }
    child.on("close", (status) => resolve({ status, text }));
  });
}
