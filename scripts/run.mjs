// node scripts/run.mjs PROJECT NAME [arguments]: builds PROJECT with what it references, then runs PROJECT/dist/NAME.js.
// The build prints to stderr and only when it fails: stdout belongs to the program.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [project, name, ...rest] = process.argv.slice(2);

if (name === undefined || !existsSync(join(root, project, `${name}.ts`))) {
  const sources = readdirSync(join(root, project)).filter((file) => /(?<!\.d)\.ts$/.test(file));
  const names = sources.map((file) => file.slice(0, -3)).join(", ");
  const problem = name === undefined ? "Which one?" : `There is no ${project}/${name}.ts.`;
  process.stderr.write(`${problem} Available: ${names || "none yet"}\n`);
  process.exit(1);
}

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
run([tsc, "-b", join(root, project)], ["ignore", process.stderr, "inherit"]);
run(["--enable-source-maps", join(root, project, "dist", `${name}.js`), ...rest], "inherit");

function run(args, stdio) {
  const { status, signal } = spawnSync(process.execPath, args, { stdio });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
