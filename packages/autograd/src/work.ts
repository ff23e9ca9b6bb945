import { fewestInPieces } from "./compile/piecewise.ts";
import type { Tensor } from "./graph.ts";
import { trace } from "./program.ts";

/** How long interpreting takes, where adding one element to a sum takes 1: estimates, by which `cache.ts` decides what to compile. */

/** What interpreting a node costs beside its elements, in the time that one element takes. */
export const nodeWork = 450;

/** The least cost of a formula: a shorter one takes no less time. */
const leastCost = 0.5;

/**
 * A formula of few elements is run by a `Machine`, not by a module (`compile/piecewise.ts`). That takes `machineTimes` as long for each
 * element, and to begin with as long as for `machineStart` elements.
 */
const machineTimes = 11;
const machineStart = 36;

/** What one element of a node costs in kernels that modules compute, which are most; others are said where they stand. */
export function costOf({ op, inputs, dtype }: Tensor): number {
  const { kernel } = op;
  switch (kernel.kind) {
    case "pointwise": {
      const { instructions } = trace(
        kernel.body,
        inputs.map((x) => x.dtype),
        dtype,
      );
      return Math.max(leastCost, instructions.length / 16);
    }
    case "reduce":
    case "scan": {
      if (kernel.kind === "reduce" && dtype !== "bool") return 1;
      // Through the machine, a few elements at a time.
      return 24 + trace(kernel.combine, [dtype, dtype], dtype).instructions.length;
    }
    case "gather":
    case "scatter":
      return 4;
    default:
      return 1;
  }
}

/** The work of a formula of this cost for so many elements. */
export function formulaWork(cost: number, elements: number): number {
  const isByMachine = elements < fewestInPieces && cost > leastCost;
  return cost * (isByMachine ? machineTimes * (elements + machineStart) : elements);
}

/** So many multiplications in a product of matrices take as long as one element of a sum. */
const productsAtOnce = 16;

/** The work of a contraction of operands and a result of these sizes. Matrices are copied first, and then multiplied fast. */
export function contractionWork(x: number, y: number, out: number): number {
  // Exact without a batch: x, y and out have i j, j k and i k elements, and there are i j k products.
  const products = Math.sqrt(x * y * out);
  return Math.min(products, products / productsAtOnce + x + y + out);
}
