import { workloads } from "./workloads.ts";

/**
 * `node scripts/run.mjs bench memory`: 100,000 synchronous steps of W1, plain and compiled, and the resident set on the way.
 * Flat means: no more than 5% growth from 20% to 100% of the run.
 */
const steps = 100_000;

for (const variant of ["plain", "compiled"] as const) {
  const { step } = workloads.W1![variant]();
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
}
