import type { Variant } from "../workload.ts";

/** The fastest of the JavaScript libraries of the pass: all peers but PyTorch and the code written by hand. */
export const bestScript = "best JavaScript";

/** Our time over that of `peer` should be at most `ratio`. */
interface Aim {
  readonly workloads: readonly string[];
  readonly variant: Variant;
  readonly peer: string;
  readonly ratio: number;
}

const networks = ["W2", "W3", "W4", "W4-onehot", "W8"];
const products = ["W5-fwd-256", "W5-fwd-512", "W5-fwd-1024", "W5-bwd-512"];

const aims: readonly Aim[] = [
  { workloads: ["W1"], variant: "compiled", peer: "torch-1t", ratio: 0.002 },
  { workloads: ["W1"], variant: "compiled", peer: bestScript, ratio: 0.05 },
  { workloads: ["W1"], variant: "compiled", peer: "floor-js", ratio: 2 },
  { workloads: ["W1"], variant: "plain", peer: "torch-1t", ratio: 0.1 },
  { workloads: networks, variant: "compiled", peer: "torch-1t", ratio: 1 },
  { workloads: networks, variant: "compiled", peer: bestScript, ratio: 0.4 },
  { workloads: products, variant: "compiled", peer: "torch-1t", ratio: 2.2 },
  { workloads: products, variant: "compiled", peer: bestScript, ratio: 0.5 },
  { workloads: ["W6"], variant: "compiled", peer: "torch-1t", ratio: 0.5 },
  { workloads: ["W6"], variant: "compiled", peer: bestScript, ratio: 0.3 },
  { workloads: ["W7"], variant: "plain", peer: "torch-1t", ratio: 0.06 },
  { workloads: ["W7"], variant: "plain", peer: "micrograd-style", ratio: 0.8 },
  { workloads: ["W7"], variant: "compiled", peer: "floor-js", ratio: 2 },
  { workloads: ["W9"], variant: "compiled", peer: "torch-1t", ratio: 0.05 },
  { workloads: ["W9"], variant: "compiled", peer: bestScript, ratio: 0.3 },
];

/** The first call of the compiled step, with all passes, should take at most this many milliseconds. */
export const firstCalls: Readonly<Record<string, number>> = { W1: 15, W4: 150 };

export function aimOf(workload: string, variant: Variant, peer: string): number | null {
  const found = aims.find(
    (aim) => aim.variant === variant && aim.peer === peer && aim.workloads.includes(workload),
  );
  return found?.ratio ?? null;
}
