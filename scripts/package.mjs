// node scripts/package.mjs: packs the built packages as they would be published, checks the tarballs, and uses them from a
// project of their own.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { chaining, documentProgram, functional } from "./document-bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const readJson = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));
const pnpm = `npx -y --prefer-offline ${readJson(root, "package.json").packageManager}`;
const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
const manifests = folders.map((folder) => readJson(folder, "package.json"));

/** They are fetched when they are needed: installed they would be a fifth of all modules. */
const judges = [
  ["publint@0.3.25", "--strict"],
  ["@arethetypeswrong/cli@0.18.5", "--profile esm-only"],
];
/** What bundles programs of users, beside esbuild; each has its own reading of `sideEffects`, and its own minifier. */
const bundlers = [
  "rollup@4.68.8",
  "@rollup/plugin-node-resolve@16.0.3",
  "webpack@5.113.0",
  "webpack-cli@7.3.1",
  "vite@8.4.0",
];
const available = new Map();

const program = (subpaths) => `
for (const path of ${JSON.stringify(subpaths)}) {
  const names = Object.keys(await import(path));
  if (names.length === 0) throw new Error(path + " exports nothing");
}
const { compile, tensor } = await import("@cotangent/autograd");
const { Linear, SGD } = await import("@cotangent/nn");
const model = new Linear(1, 1);
const optimizer = new SGD(model.parameters(), { lr: 0.1 });
const x = tensor([[0], [1], [2]]);
const step = compile(() => {
  const loss = model.forward(x).sub(x.mul(2)).square().mean();
  optimizer.step(loss);
  return loss;
});
for (let i = 0; i < 200; i++) step();
const loss = step().item();
if (!(loss < 1e-3)) throw new Error("the loss is " + loss + " after training");
if (!import.meta.resolve("@cotangent/autograd").includes("/flat/")) throw new Error("Node loads the many files");
let stack = "";
try {
  x.matmul(x);
} catch (error) {
  stack = error.stack;
}
if (!stack.split("\\n").find((line) => /^ +at /.test(line))?.includes("main.js"))
  throw new Error("an error does not begin at the line that made it: " + stack);
`;

/** Prints one gradient, of a network of two inputs, three hidden neurons and one output. */
const cold = `
import { tanh, tensor, Variable } from "@cotangent/autograd";
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[0], [1], [1], [0]]);
const w1 = new Variable(tensor([[0.5, -0.3, 0.8], [-0.6, 0.4, 0.1]]));
const w2 = new Variable(tensor([[0.7], [-0.2], [0.3]]));
tanh(tanh(x.matmul(w1)).matmul(w2)).sub(y).square().mean().backward();
console.log(String(w1.grad));
`;

const place = mkdtempSync(join(tmpdir(), "cotangent-"));
try {
  const tarballs = folders.map(pack);
  for (const tarball of tarballs) check(tarball);
  use(tarballs);
  for (const folder of folders) run(`${pnpm} publish --dry-run --no-git-checks`, folder);
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** The path of the tarball of a package. */
function pack(folder, i) {
  const target = join(place, String(i));
  mkdirSync(target);
  run(`${pnpm} pack --pack-destination "${target}"`, folder);
  return join(target, readdirSync(target)[0]);
}

/** Where a judge of tarballs cannot be fetched it is skipped. */
function check(tarball) {
  for (const [judge, words] of judges)
    if (isAvailable(judge)) run(`npx -y --prefer-offline ${judge} ${words} "${tarball}"`, root);
}

function isAvailable(judge) {
  const known = available.get(judge);
  if (known !== undefined) return known;
  const command = `npx -y --prefer-offline ${judge} --version`;
  const found = spawnSync(command, { cwd: root, shell: true, stdio: "ignore" }).status === 0;
  if (!found) console.log(`skipped ${judge}: npx could not fetch it`);
  available.set(judge, found);
  return found;
}

/** Installs the tarballs, imports the subpaths and trains a little. */
function use(tarballs) {
  const project = join(place, "project");
  mkdirSync(project);
  const dependencies = Object.fromEntries(manifests.map(({ name }, i) => [name, `file:${tarballs[i]}`]));
  const manifest = { name: "project", private: true, type: "module", dependencies };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  run("npm install --offline --no-audit --no-fund", project);
  // An entry named after an optional peer needs that peer, which is not there.
  const subpaths = manifests.flatMap(({ name, publishConfig, peerDependenciesMeta = {} }) =>
    Object.keys(publishConfig.exports)
      .filter((key) => !Object.keys(peerDependenciesMeta).some((peer) => key.endsWith(`/${peer}`)))
      .map((key) => name + key.slice(1)),
  );
  writeFileSync(join(project, "main.js"), program(subpaths));
  run("node main.js", project);
  run("node --enable-source-maps main.js", project);
  checkDeclarations(project, subpaths);
  findNamedFiles(project);
  timeColdStart(project);
  bundle(project);
}

/** Throws unless declarations need nothing but the language, those for Node apart. */
function checkDeclarations(project, subpaths) {
  const pure = subpaths.filter((path) => !path.endsWith("/node"));
  writeFileSync(
    join(project, "main.ts"),
    pure.map((path, i) => `export * as m${i} from "${path}";`).join("\n"),
  );
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const words = '--strict --lib es2023 --types "" --module nodenext';
  run(`node "${tsc}" --noEmit ${words} main.ts`, project);
  writeFileSync(join(project, "list.js"), lister(pure));
  run("node list.js", project);
  run(`node "${tsc}" --declaration --outDir declared ${words} renamed.ts`, project);
}

/**
 * Writes a program of a user who exports everything under names of their own: its declarations have to name the types of all of
 * it, which they can by names that entries export, and not by those of interfaces inside.
 */
function lister(subpaths) {
  return `
    import { writeFileSync } from "node:fs";
    const lines = [];
    for (const path of ${JSON.stringify(subpaths)}) {
      lines.push(\`import * as m\${lines.length} from "\${path}";\`);
      const module = \`m\${lines.length - 1}\`;
      for (const name of Object.keys(await import(path)))
        lines.push(\`export const e\${lines.length} = \${module}.\${name};\`);
    }
    writeFileSync("renamed.ts", lines.join("\\n"));
  `;
}

/** Throws unless the files that the packages' pages name are there. */
function findNamedFiles(project) {
  const modules = join(project, "node_modules");
  for (const { name } of manifests) {
    const page = readFileSync(join(modules, name, "README.md"), "utf8");
    for (const [, path, file] of page.matchAll(/npm\/(@cotangent\/\w+)@[\d.]+\/(\S+\.js)/g))
      readFileSync(join(modules, path, file));
  }
}

/** Bundles two programs of the documents as users would for a page, and runs them. */
function bundle(project) {
  const install = `npm install --no-save --prefer-offline --fetch-retries 1 --no-audit --no-fund ${bundlers.join(" ")}`;
  if (spawnSync(install, { cwd: project, shell: true, stdio: "ignore" }).status !== 0)
    return console.log("skipped rollup, webpack and vite: npm could not fetch them");
  const programs = [
    [chaining, "model.forward(x).gt(0.5).cast('int32')"],
    [functional, "cast(gt(model.forward(x), 0.5), 'int32')"],
  ];
  const config = "vite.config.mjs";
  const options = {
    build: { lib: { entry: "page.js", formats: ["es"], fileName: "vite" }, outDir: "vite", minify: true },
  };
  writeFileSync(join(project, config), `export default ${JSON.stringify(options)};`);
  for (const [document, answer] of programs) {
    const print = "console.log = () => {};";
    const last = `if (String(${answer}.toArray()) !== "0,1,1,0") throw new Error("it learns something else");`;
    writeFileSync(join(project, "page.js"), `${print}\n${documentProgram(document)}\n${last}`);
    // What esbuild makes of a page unless it is told otherwise: a script, which has no import.meta.
    const script = {
      bundle: true,
      minify: true,
      outdir: "esbuild",
      logLevel: "error",
      logOverride: { "empty-import-meta": "silent" },
    };
    buildSync({ entryPoints: ["page.js"], absWorkingDir: project, ...script });
    run("node esbuild/page.js", project);
    run("npx rollup --plugin node-resolve={browser:true} --input page.js --file rollup/page.js", project);
    run("node rollup/page.js", project);
    run("npx webpack --mode production --entry ./page.js --output-path webpack", project);
    run("node webpack/main.js", project);
    run(`npx vite build --config ${config}`, project);
    run("node vite/vite.js", project);
  }
  console.log("esbuild, rollup, webpack and vite bundle programs that run");
}

function timeColdStart(project) {
  writeFileSync(join(project, "cold.js"), cold);
  const [ours, empty] = medianTimes(["node cold.js", "node --eval 0"], project);
  console.log(`a process that prints one gradient takes ${ours} ms, an empty one ${empty}`);
}

/** The median time of each command over some rounds in turn, in milliseconds. */
function medianTimes(commands, cwd) {
  const rounds = Array.from({ length: 7 }, () =>
    commands.map((command) => {
      const start = performance.now();
      run(command, cwd);
      return Math.round(performance.now() - start);
    }),
  );
  return commands.map((_, i) => rounds.map((round) => round[i]).sort((a, b) => a - b)[3]);
}

/** Runs a command line by the shell (on Windows npm and npx are files that only a shell can start). */
function run(command, cwd) {
  const { status, stdout, stderr } = spawnSync(command, { cwd, shell: true, encoding: "utf8" });
  if (status === 0) return;
  process.stdout.write(`${command}\n${stdout}${stderr}`);
  process.exitCode = 1;
  throw new Error(`failed in ${cwd}: ${command}`);
}
