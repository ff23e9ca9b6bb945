import { reverse } from "../differentiate.ts";
import { isFloat } from "../dtype.ts";
import { CotangentError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { fromElements, onesLike } from "../ops/leaf.ts";
import { topology } from "../topology.ts";
import type { Call } from "./call.ts";

/** A rule that does not fit the dtype of its operand: the check, which replays in float64, sees nothing of it. */
export interface ForeignRule {
  /** The node in the graph of the call. */
  readonly node: Tensor;
  readonly operand: number;
  readonly reason: string;
}

/** The rules that give another dtype than that of their operands, or throw there, one for each op; none where the whole gradient fits. */
export function foreignRules({ y, leaves }: Call): ForeignRule[] {
  const inputs = leaves.map(([leaf]) => leaf);
  if (misfit(y, inputs) === null) return [];
  const seen = new Set<Op>();
  return topology([y]).nodes.flatMap((node) => {
    if (node.inputs.length === 0 || !isFloat(node.dtype) || seen.has(node.op)) return [];
    seen.add(node.op);
    const values = evaluate(node.inputs);
    const alone = node.inputs.map((input, i) => fromElements(values[i]!.slice(), input.shape));
    const out = apply(node.op, alone, node.attributes);
    for (const [i, operand] of alone.entries()) {
      const reason = isFloat(operand.dtype) ? misfit(out, [operand]) : null;
      if (reason) return [{ node, operand: node.op.meaning === "first" ? i - 1 : i, reason }];
    }
    return [];
  });
}

/** What is wrong with the dtypes of the gradients of `y` by `x`; null if they are those of `x`. */
function misfit(y: Tensor, x: readonly Tensor[]): string | null {
  try {
    const gradients = reverse([y], [onesLike(y)], x);
    const at = gradients.findIndex((g, i) => g && g.dtype !== x[i]!.dtype);
    if (at < 0) return null;
    return `it gives ${gradients[at]!.dtype} where the operand is ${x[at]!.dtype}: cast what it uses`;
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
    return `in the dtype of the operand it throws: ${error.message}`;
  }
}
