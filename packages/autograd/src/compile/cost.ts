import type { DType } from "../dtype.ts";
import { byteSize, isFloat } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import type { Program } from "../program.ts";
import { sizeOf } from "../shape.ts";
import type { Kernel } from "./kernel.ts";
import { nodeOf } from "./kernel.ts";

/** What one run of a kernel takes. */
export interface Cost {
  /** Additions, multiplications, divisions, square roots, minima and maxima of floats; nothing for what the host computes. */
  readonly flops: number;
  /** Bytes of memory: each element of an operand counts once, however often the kernel reads it. */
  readonly reads: number;
  readonly writes: number;
}

const counted = new Set<string>(["add", "sub", "mul", "div", "sqrt", "pmin", "pmax"]);

export function costOf(kernel: Kernel): Cost {
  const { form, nodes } = kernel;
  const { kind, space, outer, body, fold, dtype, size } = form;
  const node = nodeOf(kernel);
  const rounds = sizeOf(space);
  if (kind === "opaque")
    return { flops: 0, reads: node.inputs.reduce((sum, x) => sum + bytesOf(x), 0), writes: bytesOf(node) };
  const sums = kind === "scatter" && isFloat(dtype) ? 1 : 0;
  const round = flopsOf(body) + (fold ? flopsOf(fold.combine.instructions) : 0) + sums;
  const results = kind === "reduce" || kind === "product" ? sizeOf(space.slice(0, outer)) : rounds;
  const written = kind === "scatter" ? size : results;
  const reads = new Map<Tensor, number>();
  for (const { source: number } of body) {
    const source = nodes[number];
    if (source) reads.set(source, Math.min(source.size, (reads.get(source) ?? 0) + rounds));
  }
  if (kind === "scatter") reads.set(node, Math.min(size, rounds));
  return {
    flops: rounds * round,
    reads: [...reads].reduce((sum, [{ dtype }, count]) => sum + count * byteSize(dtype), 0),
    writes: written * byteSize(dtype) * form.results.length,
  };
}

interface Step {
  readonly word: string;
  readonly dtype: DType;
  readonly slow: Program | null;
}

/** The rare side of a `rare` does not count. */
function flopsOf(steps: readonly Step[]): number {
  return steps.reduce((sum, { word, dtype, slow }) => {
    if (word === "call") return sum + flopsOf(slow!.instructions);
    return sum + (counted.has(word) && isFloat(dtype) ? 1 : 0);
  }, 0);
}

export function bytesOf({ dtype, size }: Tensor): number {
  return byteSize(dtype) * size;
}
