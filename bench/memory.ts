import { spawnSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { warmUp } from "./measure.ts";
import { variants } from "./workload.ts";
import { workloads } from "./workloads.ts";

/**
 * `pnpm -s memory [NAME[=COUNT] ...]`: many synchronous steps of a workload, plain and compiled, after the warm-up that every
 * workload gets, or many programs compiled, run once and dropped; and the resident set on the way, the mean of each fifth. Flat means:
 * no more than 5% growth from the first fifth to the last. Each name runs in a process of its own, where V8's young generation has its full size
 * from the start: else it is doubled by 8 and then 16 MB at some time, which is no growth of ours. What is alive after a full collection
 * tells growth from what waits to be collected.
 */

const counts: Readonly<Record<string, number>> = { W1: 100_000, W2: 2000, programs: 1000 };
const youngGeneration = "--min-semi-space-size=16";
/** The resident set is asked for so many times in each fifth. */
const mostSamples = 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function liveHeap(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

function watch(name: string, count: number, step: () => unknown): void {
  const before = liveHeap();
  const marks: number[] = [];
  const samples = Math.min(mostSamples, Math.ceil(count / 5));
  for (let part = 1; part <= 5; part++) {
    let sum = 0;
    for (let sample = 0; sample < samples; sample++) {
      for (let i = 0; i < count / 5 / samples; i++) step();
      sum += process.memoryUsage.rss() / 2 ** 20;
    }
    marks.push(sum / samples);
  }
  const growth = 100 * (marks.at(-1)! / marks[0]! - 1);
  const line = marks.map((mb) => mb.toFixed(1)).join(" ");
  console.log(
    `${name.padEnd(12)} resident MB, fifth by fifth: ${line}; growth ${growth.toFixed(1)}%\n` +
      `${" ".repeat(12)} live MB before and after: ${before.toFixed(2)} ${liveHeap().toFixed(2)}`,
  );
}

/** Each time a new training step is traced, compiled and run once. */
const compileAnew = () => workloads.W1!.compiled().step();

function run(name: string, count: number): void {
  if (name === "programs") {
    warmUp(compileAnew);
    watch(name, count, compileAnew);
    return;
  }
  for (const variant of variants) {
    const { step, check } = workloads[name]![variant]();
    for (let i = 0; i < check; i++) step();
    warmUp(step);
    watch(`${name} ${variant}`, count, step);
  }
}

const words = process.argv.slice(2);
for (const word of words.length > 0 ? words : Object.keys(counts)) {
  const [name, count] = word.split("=") as [string, string?];
  if (name !== "programs" && !(name in workloads)) {
    console.error(`unknown: ${name}; there are programs, ${Object.keys(workloads).join(", ")}`);
    process.exitCode = 2;
  } else if (process.execArgv.includes(youngGeneration)) run(name, Number(count ?? counts[name] ?? 1000));
  else {
    const args = [...process.execArgv, youngGeneration, process.argv[1]!, word];
    if (spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0) process.exitCode = 1;
  }
}
