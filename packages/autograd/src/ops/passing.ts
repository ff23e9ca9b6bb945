import type { Derivative, Op } from "../graph.ts";

/** An op that gives one of its operands as it is. What sets it apart are its derivative rules, and that it is a node of its own. */
export function passing(
  name: string,
  derivatives: readonly Derivative[],
  meaning: NonNullable<Op["meaning"]> = "computed",
  operand: 0 | 1 = 0,
): Op {
  return {
    name,
    kernel: { kind: "pointwise", body: (_, ...operands) => operands[operand]! },
    derivatives,
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
    meaning,
  };
}
