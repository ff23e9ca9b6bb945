import type { Arithmetic } from "../arithmetic.ts";
import { reverse } from "../differentiate.ts";
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { apply, none, partial, singular, Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import { pointwise } from "../ops/elementwise.ts";
import { onesLike, placeholder, zerosLike } from "../ops/leaf.ts";
import { passing } from "../ops/passing.ts";
import { within } from "../ops/sample.ts";
import type { Shape } from "../shape.ts";
import type { Operand } from "../signature.ts";
import { topology } from "../topology.ts";

/** A formula as a graph: of operands without axes, or of some shape. */
interface Formula {
  readonly operands: readonly Tensor[];
  readonly out: Tensor;
}

/**
 * One op of a formula: `f` is made of elementwise ops and numbers, and what comes back computes the same, bit for bit, as one
 * node that is called `name`. `compile` makes one loop of either; the fewer nodes are sooner built, compared and compiled. It pays
 * for what is said of many tensors, such as all parameters of a model. Operands broadcast together, and are floats of one dtype.
 *
 * Its derivatives are those of the formula, which they compute again.
 *
 * Throws ValueError, at once, if `f` has no operands, returns no tensor, or uses another op or a tensor that is none of its
 * operands.
 *
 * @example
 * ```ts
 * import { add, fuse, grad, mul, sub, type Tensor, tensor } from "@cotangent/autograd";
 * const lerp = fuse("lerp", (x: Tensor, y: Tensor, weight: Tensor) => add(x, mul(weight, sub(y, x))));
 * const x = tensor([1, 2]);
 * const y = lerp(x, 5, 0.25);
 * y.op.name; // => lerp
 * y.toArray(); // => 2,2.75
 * grad(y.sum(), [x])[0].toArray(); // => 0.75,0.75
 * ```
 */
export function fuse<const A extends readonly Tensor[]>(
  name: string,
  f: (...operands: A) => Tensor,
): (...operands: { readonly [K in keyof A]: Operand }) => Tensor {
  const arity = f.length;
  if (arity === 0) throw new ValueError(`fuse: ${name} has no operands; name each of them, (x, y) => ...`);
  const read = (dtype: DType, shape: Shape): Formula => {
    const operands = Array.from({ length: arity }, () => placeholder(shape, dtype));
    const out: unknown = f(...(operands as readonly Tensor[] as A));
    if (!(out instanceof Tensor)) throw new ValueError(`fuse: ${name} returned ${String(out)}, not a tensor`);
    return { operands, out: out.node };
  };
  // With an axis, over which a sum would be seen.
  const several = read("float32", [2]);
  check(name, several);
  const formulas = new Map<DType, Formula>();
  return pointwise({
    name,
    body: (m, ...operands) =>
      said(
        remembered(formulas, m.dtypeOf(operands[0]!), (dtype) => read(dtype, [])),
        m,
        operands,
      ),
    derivatives: several.operands.map((_, i) =>
      singular((out, ...inputs) => {
        // Each operand a node of its own: two may be given the same tensor.
        const operands = inputs.map((x) => apply(operandOp, [x]));
        const y = f(...(operands as readonly Tensor[] as A)).node;
        const [slope] = reverse([y], [onesLike(y)], [operands[i]!], (x) => operands.includes(x));
        return slope ?? zerosLike(out);
      }),
    ),
    samples: within(...several.operands.map(() => [0.5, 2] as const)),
    accepts: "float",
    ...(topology([several.out]).nodes.some(({ op }) => op.kink) ? { kink: true } : {}),
    ...(several.out.dtype === "bool" ? { gives: "bool" } : {}),
  });
}

const operandOp = passing("operand", [partial(() => 1)]);

function check(name: string, { operands, out }: Formula): void {
  for (const node of topology([out]).nodes) {
    if (operands.includes(node)) continue;
    const { kernel } = node.op;
    if (kernel.kind === "leaf" && kernel.source !== "fill")
      throw new ValueError(`fuse: ${name} uses a tensor that is no operand; make it one`);
    if (kernel.kind !== "leaf" && !(kernel.kind === "pointwise" && node.attributes === none))
      throw new ValueError(
        `fuse: ${name} uses ${node.op.name}, which is not elementwise in one dtype; leave it outside`,
      );
  }
}

/** The formula in terms of the vocabulary. */
function said<E>({ operands, out }: Formula, m: Arithmetic<E>, given: readonly E[]): E {
  const values = new Map<Tensor, E>(operands.map((x, i) => [x, given[i] as E]));
  for (const node of topology([out]).nodes) {
    const { kernel } = node.op;
    if (values.has(node)) continue;
    if (kernel.kind === "pointwise")
      values.set(node, kernel.body(m, ...node.inputs.map((x) => values.get(x) as E)));
    else values.set(node, m.constant(Number(node.attributes.value), node.dtype));
  }
  return values.get(out) as E;
}
