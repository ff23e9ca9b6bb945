// Installs the development dependencies with the pnpm that package.json names, unless they are there and current.
// Needs Node and npm only. Prints to stderr, so the stdout of the command that follows is its own.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "node_modules", ".modules.yaml");
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

const [major] = process.versions.node.split(".").map(Number);
if (major < 20) fail(`Cotangent needs Node 20 or newer; this is Node ${process.versions.node}.`);
if (!isCurrent()) install();

function isCurrent() {
  if (!existsSync(stamp)) return false;
  const installed = statSync(stamp).mtimeMs;
  const folders = ["", ...workspaceFolders()];
  const sources = ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc"].concat(
    folders.map((folder) => join(folder, "package.json")),
  );
  if (sources.some((file) => statSync(join(root, file)).mtimeMs > installed)) return false;
  return folders.every((folder) => !needsModules(folder) || existsSync(join(root, folder, "node_modules")));
}

function needsModules(folder) {
  const { dependencies, devDependencies } = readJson(join(root, folder, "package.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).length > 0;
}

/** The folders listed under `packages:` in pnpm-workspace.yaml, with a trailing `/*` expanded. */
function workspaceFolders() {
  const yaml = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const list = /^packages:\r?\n((?:[ ]+- .*\r?\n)+)/m.exec(yaml)?.[1] ?? "";
  const patterns = [...list.matchAll(/- (\S+)/g)].map((match) => match[1]);
  const folders = patterns.flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(root, parent)).map((name) => join(parent, name));
  });
  return folders.filter((folder) => existsSync(join(root, folder, "package.json")));
}

function install() {
  const { packageManager } = readJson(join(root, "package.json"));
  const started = Date.now();
  process.stderr.write("Installing the development dependencies ...\n");
  // A single string: on Windows npx is a .cmd file, which only a shell can start.
  const command = `npx -y --prefer-offline ${packageManager} install --frozen-lockfile`;
  const result = spawnSync(command, {
    cwd: root,
    shell: true,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CI: "true", ...(process.stderr.isTTY ? {} : { NO_COLOR: "1" }) },
  });
  if (result.status !== 0) {
    const output = `${result.stdout ?? ""}${result.stderr ?? ""}`;
    const outdated = output.includes("OUTDATED_LOCKFILE");
    const hint = outdated
      ? `A manifest changed and pnpm-lock.yaml did not: run \`npx ${packageManager} install\`.`
      : "Is the package registry reachable?";
    fail(`${output.trimEnd()}\n\nThe installation failed (${command}). ${hint}`);
  }
  // pnpm leaves the file alone when nothing was missing; its date is what the next run compares.
  const now = new Date();
  utimesSync(stamp, now, now);
  process.stderr.write(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
