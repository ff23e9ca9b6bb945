import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { warmUp } from "./measure.ts";
import { workloads } from "./workloads.ts";

/**
 * `pnpm memory`: 100,000 synchronous steps of W1, plain and compiled, after the warm-up that every workload gets, and the
 * resident set on the way. Flat means: no more than 5% growth from 20% to 100% of the run. V8 doubles its young generation, by 8
 * and then 16 MB, after some tens of thousands of plain steps, which may fall into the run; what is alive after a full collection
 * tells growth from sizing.
 */
const steps = 100_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function liveHeap(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

for (const variant of ["plain", "compiled"] as const) {
  const { step, check } = workloads.W1![variant]();
  for (let i = 0; i < check; i++) step();
  warmUp(step);
  const before = liveHeap();
  const marks: number[] = [];
  for (let i = 1; i <= steps; i++) {
    step();
    if (i % (steps / 5) === 0) marks.push(process.memoryUsage.rss() / 2 ** 20);
  }
  const growth = marks.at(-1)! / marks[0]! - 1;
  const line = marks.map((mb) => mb.toFixed(1)).join(" ");
  console.log(
    `${variant.padEnd(9)} resident MB at 20, 40, 60, 80, 100%: ${line}; growth ${(100 * growth).toFixed(1)}%`,
  );
  console.log(
    `${" ".repeat(9)} live heap MB before and after: ${before.toFixed(2)} ${liveHeap().toFixed(2)}`,
  );
}
