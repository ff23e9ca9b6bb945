import { settleBy } from "./compile/run.ts";
import { settle } from "./compile/settle.ts";
import { useStandIns } from "./differentiate.ts";
import { ValueError } from "./errors.ts";
import { inlined } from "./inlining.ts";
import { asSegment } from "./segment.ts";
import { recomputed } from "./transform/recomputation.ts";
import { leavesOf } from "./tree.ts";

/**
 * `checkpoint(f)` computes what `f` does, and derivatives of the result compute the inside of `f` again instead of reading what the
 * forward pass has computed (Chen et al. 2016, "Training deep nets with sublinear memory cost",
 * https://arxiv.org/abs/1604.06174): `checkpoint((x) => block.forward(x))(h)`, PyTorch's `checkpoint(block, h)`. Of a deep model whose
 * blocks are called this way only what goes into the blocks is kept, and the inside of one at a time; that costs about a forward
 * pass more. `f` takes anything and returns a tensor or a tree of tensors; it may capture tensors and variables, which have their
 * gradients too. Values and gradients are the same to the bit.
 *
 * `f` is called once: what it draws at random, assigns or reads is not done again, so dropout drops the same elements. Memory gets
 * smaller in compiled programs and in the interpreter, for gradients in reverse mode that are read together (`evaluate`,
 * an optimizer's step); what derivatives of second order read of the first backward pass is kept. A part that has no more inside
 * than goes into it gains nothing.
 *
 * Throws ValueError if `f` is no function, is async, or returns no tensor or something that is none.
 *
 * @example
 * ```ts
 * import { checkpoint, grad, type Tensor, tensor, variable } from "@cotangent/autograd";
 * const w = variable([[1, 2], [3, 4]]);
 * const block = checkpoint((x: Tensor) => x.matmul(w).sin().exp().tanh());
 * const y = block(block(tensor([[0.1, 0.2]]))).sum();
 * grad(y, [w])[0].shape; // => [ 2, 2 ]
 * ```
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  if (typeof f !== "function")
    throw new ValueError(
      `checkpoint: takes a function, got ${typeof f}; for a layer pass (x) => layer.forward(x)`,
    );
  useStandIns(recomputed);
  settleBy(settle);
  return (...args) => {
    const result = asSegment(() => inlined(() => f(...args)));
    checkResult(result);
    return result;
  };
}

function checkResult(result: unknown): void {
  if (result instanceof Promise)
    throw new ValueError(
      "checkpoint: the function is async, and what it waits for cannot be computed again; await outside",
    );
  let count: number;
  try {
    count = leavesOf(result).length;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`checkpoint: the function returns something that is no tensor: ${error.message}`);
  }
  if (count === 0)
    throw new ValueError("checkpoint: the function returns no tensor; return what is computed from it");
}
