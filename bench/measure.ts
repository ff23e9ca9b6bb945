import { loadavg } from "node:os";
import type { Workload } from "./workload.ts";

/** One line of results. Times are milliseconds of one step. */
export interface Measurement {
  readonly peer: string;
  readonly runtime: string;
  readonly workload: string;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly cpu_ms: number;
  /** The first step, with tracing and compiling. */
  readonly first_ms: number;
  readonly steps_per_batch: number;
  readonly batches: number;
  readonly check: number;
  /** The losses of the first and of the last check step; null without check steps. */
  readonly loss0: number | null;
  readonly lossN: number | null;
  readonly load: number;
  readonly rss_peak_mb: number;
  /** One entry of a result that has no loss. */
  readonly c01?: number;
}

const mostBatches = 7;
const batchMs = 350;
const warmMs = 500;
/** A step so slow that its batches would take longer than this gets fewer of them, at least three. */
const maxMs = 40_000;

/** Check steps, warm-up, then batches of about 350 ms; medians over the batches. */
export function measure(peer: string, workload: string, { step, check, entry }: Workload): Measurement {
  const begin = performance.now();
  const loss0 = step();
  const first = performance.now() - begin;
  let lossN = loss0;
  for (let i = 1; i < check; i++) lossN = step();
  const estimate = warmUp(step);
  const size = Math.max(1, Math.round(batchMs / estimate));
  const batches = Math.max(3, Math.min(mostBatches, Math.floor(maxMs / (estimate * size))));
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
    loss0: check > 0 ? loss0 : null,
    lossN: check > 0 ? lossN : null,
    load: short(loadavg()[0] ?? 0),
    rss_peak_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    ...(entry && { c01: entry() }),
  };
}

/** Runs for three quarters of a second or two steps; returns milliseconds of one step in the last third. */
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
