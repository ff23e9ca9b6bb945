// node scripts/engines.mjs: computes the same things in the JavaScript engines that are on PATH (V8 here and in a headless
// Chromium, SpiderMonkey in Firefox, JavaScriptCore in Bun) and says where their bits differ.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser, nothing, onPath, visitPage } from "./chromium.mjs";
import { sourceBundle } from "./source-bundle.mjs";

const script = await sourceBundle(`
  import { fingerprints } from "./engines/fingerprints.ts";
  try {
    globalThis.said = JSON.stringify([...fingerprints()]);
  } catch (error) {
    globalThis.said = String(error);
  }`);
const posted = `${script}\nfetch("/said", { method: "POST", body: globalThis.said });`;

const firefox = onPath(["firefox", "firefox-esr"]);
const bun = onPath(["bun"]);
const engines = {
  Chromium: browser && (() => visitPage(posted)),
  Firefox: firefox && (() => visitPage(posted, { open: openFirefox })),
  Bun: bun && (() => run(bun)),
};

const here = read("Node", run(process.execPath));
const compared = ["Node"];
for (const [name, ask] of Object.entries(engines)) {
  const said = ask ? await ask() : "";
  if (said === "" || said === nothing) {
    console.log(`skipped: ${name}, which ${ask ? "did not start" : "is not on PATH"}`);
    continue;
  }
  const there = read(name, said);
  const others = [...here.keys()].filter((key) => there.get(key) !== here.get(key));
  if (others.length === 0) compared.push(name);
  else
    fail(
      `${name} computes other bits than Node, ${others.length} of ${here.size}:\n${others.slice(0, 40).join("\n")}`,
    );
}
console.log(`${here.size} fingerprints are the same in ${compared.join(", ")}`);

function read(name, said) {
  if (said.startsWith("[")) return new Map(JSON.parse(said));
  fail(`${name} says ${said}`);
  return new Map();
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

/** What the script says in a process of its own. */
function run(program) {
  const place = mkdtempSync(join(tmpdir(), "cotangent-engine-"));
  try {
    const path = join(place, "program.mjs");
    writeFileSync(path, `${script}\nconsole.log(globalThis.said);`);
    const { stdout, stderr, status } = spawnSync(program, [path], { encoding: "utf8", maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
    return stdout;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function openFirefox(address, place) {
  return spawn(firefox, ["--headless", "--no-remote", "--profile", place, address], { stdio: "ignore" });
}
