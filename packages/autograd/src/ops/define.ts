import { ValueError } from "../errors.ts";
import type { Attributes, Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { checkList, checkShape } from "../shape.ts";
import { rememberSite } from "../site.ts";
import { checkConformity } from "./conformity.ts";
import { operand } from "./elementwise.ts";

/**
 * A new op of any kind, by the door that the built-in ones use: a kernel, one derivative rule per operand, and the shape
 * and dtype of the result (which also check the operands and throw). For elementwise ops `pointwise` is shorter.
 *
 * The result is a function of the operands and the attributes. It throws ValueError if there are no operands where there are rules for
 * some, if what `shape` gives is no shape, or if an attribute is missing that the kernel reads; ShapeError or DTypeError if shape or
 * dtype are not those of what the kernel computes. Throws ValueError if the definition has no name.
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
 *
 * @example
 * ```ts
 * import { broadcastTo, defineOp, grad, linearRule, tensor } from "@cotangent/autograd";
 * // A reduction, whose kernel reads the attribute `axes`. The transpose of a sum repeats what flows back.
 * const sums = defineOp<{ readonly axes: readonly number[] }>({
 *   name: "sums",
 *   kernel: { kind: "reduce", combine: (m, x, y) => m.add(x!, y!), identity: () => 0 },
 *   derivatives: [linearRule((g, out) => broadcastTo(g, out.inputs[0]!.shape))],
 *   shape: ([x], { axes }) => x!.shape.filter((_, axis) => !axes.includes(axis)),
 *   dtype: ([x]) => x!.dtype,
 * });
 * const x = tensor([[1, 2], [3, 4]]);
 * const y = sums([x], { axes: [0] });
 * y.toArray(); // => 4,6
 * grad(y.square().sum(), [x])[0].toArray(); // => 8,12,8,12
 * ```
 *
 * @example
 * ```ts
 * import { defineOp, grad, partial, tensor } from "@cotangent/autograd";
 * // A function of JavaScript, which writes every element of `out` and nothing else.
 * const cubes = defineOp({
 *   name: "cubes",
 *   kernel: { kind: "opaque", run: ([x], out) => out.data.set(x!.data.map((value) => value ** 3)) },
 *   derivatives: [partial((_, x) => x!.square().mul(3))],
 *   shape: ([x]) => x!.shape,
 *   dtype: ([x]) => x!.dtype,
 * });
 * const x = tensor([1, 2]);
 * grad(cubes([x], {}).sum(), [x])[0].toArray(); // => 3,12
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
    // `shape` may have read an axis that an operand does not have.
    checkShape(op.name, out.shape);
    checkConformity(op, out, attributes);
    // Any other kernel throws while the node is made, or not at all.
    if (op.kernel.kind === "opaque") rememberSite(out);
    return out;
  };
}
