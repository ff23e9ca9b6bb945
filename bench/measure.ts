import { loadavg } from "node:os";

/** What is measured: a step that returns the number to check, run `check` times before the clock counts. */
export interface Workload {
  readonly step: () => number;
  readonly check: number;
}

/** One line of results. Times are milliseconds of one step. */
export interface Measurement {
  readonly peer: string;
  readonly runtime: string;
  readonly workload: string;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly cpu_ms: number;
  readonly first_ms: number;
  readonly steps_per_batch: number;
  readonly batches: number;
  readonly check: number;
  readonly loss0: number;
  readonly lossN: number;
  readonly load: number;
  readonly rss_peak_mb: number;
}

const batches = 7;
const batchMs = 350;
const warmMs = 500;

/** Check steps, warm-up, then batches of about 350 ms; medians over the batches. */
export function measure(peer: string, workload: string, { step, check }: Workload): Measurement {
  const begin = performance.now();
  const loss0 = step();
  const first = performance.now() - begin;
  let lossN = loss0;
  for (let i = 1; i < check; i++) lossN = step();
  const size = Math.max(1, Math.round(batchMs / warmUp(step)));
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let b = 0; b < batches; b++) {
    const before = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < size; i++) step();
    wall.push((performance.now() - start) / size);
    const used = process.cpuUsage(before);
    cpu.push((used.user + used.system) / 1000 / size);
  }
  return {
    peer,
    runtime: `node ${process.versions.node}`,
    workload,
    median_ms: short(median(wall)),
    min_ms: short(Math.min(...wall)),
    max_ms: short(Math.max(...wall)),
    cpu_ms: short(median(cpu)),
    first_ms: short(first),
    steps_per_batch: size,
    batches,
    check,
    loss0: short(loss0),
    lossN: short(lossN),
    load: short(loadavg()[0] ?? 0),
    rss_peak_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** Runs for three quarters of a second; returns milliseconds of one step in the last third. */
export function warmUp(step: () => number): number {
  time(step, warmMs);
  return time(step, warmMs / 2);
}

/** Milliseconds of one step, over about `total` milliseconds. */
function time(step: () => number, total: number): number {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < total) {
    step();
    count++;
  }
  return (performance.now() - start) / count;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const short = (x: number): number => Number(x.toPrecision(6));
