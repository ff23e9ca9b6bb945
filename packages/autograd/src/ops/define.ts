import { ValueError } from "../errors.ts";
import type { Attributes, Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { checkList } from "../shape.ts";
import { rememberSite } from "../site.ts";
import { operand } from "./elementwise.ts";

/**
 * A new op of any kind, by the door that the built-in ones use: a kernel, one derivative rule per operand, and the shape
 * and dtype of the result (which also check the operands and throw). For elementwise ops `pointwise` is shorter.
 *
 * The result is a function of the operands and the attributes, which throws ValueError if there are none where there have to be. Throws
 * ValueError if the definition has no name.
 *
 * @example
 * ```ts
 * import { defineOp, grad, linearRule, type Tensor, tensor } from "@cotangent/autograd";
 * const twice: (operands: readonly Tensor[], attributes: {}) => Tensor = defineOp({
 *   name: "twice",
 *   kernel: { kind: "pointwise", body: (m, x) => m.add(x, x) },
 *   derivatives: [linearRule((g) => twice([g], {}))],
 *   shape: ([x]) => x!.shape,
 *   dtype: ([x]) => x!.dtype,
 * });
 * const x = tensor([1, 2]);
 * grad(twice([x], {}).sum(), [x])[0].toArray(); // => 2,2
 * ```
 */
export function defineOp<A extends Attributes>(
  op: Op<A>,
): (operands: readonly Tensor[], attributes: A) => Tensor {
  if (typeof op.name !== "string" || op.name === "") throw new ValueError("defineOp: an op needs a name");
  return (operands, attributes) => {
    checkList(op.name, operands, "[x]");
    if (operands.length === 0 && op.derivatives.length > 0)
      throw new ValueError(`${op.name}: takes operands, as many as it has derivative rules, got none`);
    const inputs = operands.map((x) => operand(op.name, x, "float32"));
    const out = apply(op, inputs, attributes);
    // Any other kernel throws while the node is made, or not at all.
    if (op.kernel.kind === "opaque") rememberSite(out);
    return out;
  };
}
