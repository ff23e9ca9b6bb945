import { reverse } from "../differentiate.ts";
import { isFloat } from "../dtype.ts";
import { DTypeError, GradientError, ShapeError, ValueError } from "../errors.ts";
import type { Op } from "../graph.ts";
import { apply, isWaiting, none, partial, Tensor, zero } from "../graph.ts";
import { inlined } from "../inlining.ts";
import { checkTensor, describe, fullLike, placeholder, zerosLike } from "../ops/leaf.ts";
import { passing } from "../ops/passing.ts";
import { checkFunction } from "../options.ts";
import { rebuild } from "../rebuild.ts";
import { equalShapes, formatShape, stridesOf } from "../shape.ts";
import type { SizesOf } from "../signature.ts";
import { topology } from "../topology.ts";

/** Functions whose derivative is another than that of what they compute. */

/** Of a cotangent `g` of the result: one cotangent for each input, null where it is exactly 0. */
export type PullbackRule<I extends readonly Tensor[]> = (
  g: Tensor,
  out: Tensor,
  ...inputs: I
) => readonly (Tensor | null)[];

/**
 * `f` with another derivative: the function `(...inputs) => f(...inputs)` whose gradient is what `rule(g, out, ...inputs)` gives
 * for the cotangent `g` of the result `out`: an array with a cotangent of each input's shape (null for exactly 0). The rule is
 * made of ordinary ops, and derivatives of higher order follow from it; so does forward mode where it is linear in `g`. Derivatives
 * by anything that `f` uses without taking it as an input are 0. The rule runs when a derivative is taken: a variable that it uses without
 * taking it as an input has the value of that time.
 *
 * The result depends on the inputs through the function itself. Where the rule differentiates something made of it, as implicit
 * differentiation does, take it through `stopGradient`: for `x` with `f(x, a) = 0` the derivative by `a` is that of `f` by `a` over minus
 * that of `f` by `x`.
 *
 * Throws ValueError if an input is no tensor or `f` returns none; when differentiated, ShapeError or DTypeError if the rule's
 * answer does not fit, GradientError if it is no list of tensors, if the rule asks for itself, or if it is not linear in `g` in
 * forward mode.
 *
 * @example
 * ```ts
 * import { customGradient, exp, grad, log1p, mul, sigmoid, tensor } from "@cotangent/autograd";
 * // log(1 + e^x), whose own derivative e^x / (1 + e^x) would be NaN for large x.
 * const softplus = customGradient(
 *   (x) => log1p(exp(x)),
 *   (g, _, x) => [mul(g, sigmoid(x))],
 * );
 * const x = tensor([0, 1000]);
 * grad(softplus(x).sum(), [x])[0].toArray(); // => 0.5,1
 * ```
 *
 * @example
 * ```ts
 * import { customGradient, grad, stopGradient, type Tensor, tensor } from "@cotangent/autograd";
 * const f = (x: Tensor, a: Tensor) => x.mul(x).mul(x).sub(a);
 * const root = customGradient(
 *   (a) => {
 *     let x = 1;
 *     for (let i = 0; i < 50; i++) x -= (x ** 3 - a.item()) / (3 * x ** 2);
 *     return tensor(x);
 *   },
 *   (g, out, a) => {
 *     const x = stopGradient(out);
 *     const [fx, fa] = grad(f(x, a), [x, a]);
 *     return [g.mul(fa).div(fx).neg()];
 *   },
 * );
 * const a = tensor(8);
 * root(a).item(); // => 2
 * grad(root(a), [a])[0].item().toFixed(4); // => 0.0833
 * ```
 */
export function customGradient<I extends readonly Tensor[], Y extends Tensor>(
  f: (...inputs: I) => Y,
  rule: PullbackRule<I>,
): (...inputs: I) => Tensor<SizesOf<Y>>;
export function customGradient<I extends readonly Tensor[]>(
  f: (...inputs: I) => Tensor,
  rule: PullbackRule<I>,
): (...inputs: I) => Tensor {
  checkFunction("customGradient", f);
  checkFunction("customGradient: the rule", rule);
  const name = f.name || "customGradient";
  const op: Op = {
    name,
    kernel: {
      kind: "view",
      map: (shape) => ({ offset: 0, strides: stridesOf(shape), bounds: null }),
    },
    derivatives: [
      zero,
      {
        kind: "pushforward",
        push: (t, out, _, operand) => {
          const g = placeholder(out.shape, out.dtype);
          const pulled = cotangentOf(name, rule, g, out, operand - 1);
          const found = pulled && reverse([pulled], [t], [g])[0];
          if (found && isMadeOf(found, g))
            throw new GradientError(
              `customGradient: the rule of ${name} is not linear in g, so forward mode cannot follow from it; take derivatives in ` +
                "reverse mode (grad, vjp, backward)",
            );
          // What the rule computes again (`checkpoint`) waits for g, which nobody computes here.
          return found ? rebuild([found], new Map([[g, zerosLike(out)]]))[0]! : zerosLike(out);
        },
        pull: (g, out, _, operand) => cotangentOf(name, rule, g, out, operand - 1),
      },
    ],
    shape: ([y]) => y!.shape,
    dtype: ([y]) => y!.dtype,
    meaning: "first",
  };
  const call = (...inputs: I): Tensor => {
    inputs.forEach((x, i) => {
      if (!(x instanceof Tensor))
        throw new ValueError(
          `customGradient: input ${i} of ${name} is ${describe(x)} and no tensor; make it one with scalar(...) or tensor(...), or ` +
            "leave it out and use it from outside",
        );
    });
    const y = f(...inputs);
    if (!(y instanceof Tensor))
      throw new ValueError(`customGradient: ${name} returned ${describe(y)}; return one tensor`);
    return apply(op, [apply(valueOp, [y.node]), ...inputs.map((x) => x.node)], none);
  };
  Object.defineProperty(call, "name", { value: name });
  return call;
}

/** What a function with a rule of its own computes: forward mode does not go further. */
const valueOp = passing("value", [zero]);

/** Is `x` made of the elements of `g`? What only waits for them is not. */
function isMadeOf(x: Tensor, g: Tensor): boolean {
  const { nodes, starts, edges } = topology([x]);
  const isMade = new Uint8Array(nodes.length);
  nodes.forEach((node, n) => {
    const operands = edges.slice(starts[n], isWaiting(node) ? starts[n]! + 1 : starts[n + 1]);
    isMade[n] = node === g || operands.some((k) => isMade[k]) ? 1 : 0;
  });
  return isMade.at(-1) === 1;
}

/** The results whose rules are running. */
const running = /* @__PURE__ */ new Set<Tensor>();

/** What the rule gives for input `i`, checked. */
function cotangentOf<I extends readonly Tensor[]>(
  name: string,
  rule: PullbackRule<I>,
  g: Tensor,
  out: Tensor,
  i: number,
): Tensor | null {
  // The operands after the first are the inputs that the function was called with.
  const inputs = out.inputs.slice(1) as unknown as I;
  if (running.has(out))
    throw new GradientError(
      `customGradient: the rule of ${name} differentiates something that uses the result, which is made of the inputs by ${name} ` +
        "itself and so asks the rule again; take it as a constant there: stopGradient(out)",
    );
  running.add(out);
  let cotangents: ReturnType<typeof rule>;
  try {
    cotangents = inlined(() => rule(g, out, ...inputs));
  } finally {
    running.delete(out);
  }
  if (!Array.isArray(cotangents) || cotangents.length !== inputs.length)
    throw new GradientError(
      `customGradient: the rule of ${name} must return an array with a cotangent or null for each of its ${inputs.length} inputs`,
    );
  const found: unknown = cotangents[i];
  if (found === null) return null;
  if (!(found instanceof Tensor))
    throw new GradientError(
      `customGradient: the rule of ${name} gives ${describe(found)} for input ${i}; give a tensor of its shape, or null for exactly 0`,
    );
  const { shape, dtype } = inputs[i]!;
  if (!equalShapes(found.shape, shape))
    throw new ShapeError(
      `customGradient: the rule of ${name} gives shape ${formatShape(found.shape)} for input ${i} of shape ${formatShape(shape)}; ` +
        "sum or broadcast it to the input's shape",
    );
  if (found.dtype !== dtype)
    throw new DTypeError(
      `customGradient: the rule of ${name} gives ${found.dtype} for input ${i}, which is ${dtype}; cast it with cast("${dtype}")`,
    );
  return found.node;
}

const straightThroughOp = passing("straightThrough", [partial(() => 1), zero], "intended", 1);

/**
 * The elements of `value` with the derivative 1 by `x`: a step that cannot be differentiated, such as rounding `x`, counts as
 * none in the gradient (Bengio, Leonard and Courville 2013, https://arxiv.org/abs/1308.3432). Throws ShapeError unless both
 * have one shape and dtype.
 *
 * @example
 * ```ts
 * import { grad, heaviside, straightThrough, tensor } from "@cotangent/autograd";
 * const x = tensor([-1, 2]);
 * const y = straightThrough(x, heaviside(x));
 * y.toArray(); // => 0,1
 * grad(y.sum(), [x])[0].toArray(); // => 1,1
 * ```
 */
export function straightThrough<X extends Tensor>(x: X, value: Tensor<SizesOf<X>>): Tensor<SizesOf<X>> {
  checkTensor("straightThrough", x);
  checkTensor("straightThrough: the value", value);
  if (!equalShapes(x.shape, value.shape) || x.dtype !== value.dtype)
    throw new ShapeError(
      `straightThrough: x is ${x.dtype}${formatShape(x.shape)} and the value ${value.dtype}${formatShape(value.shape)}; both ` +
        "need one shape and dtype",
    );
  return apply(straightThroughOp, [x.node, value.node]) as Tensor as Tensor<SizesOf<X>>;
}

const reversalOp = passing("gradientReversal", [partial((_, _x, factor) => factor!), zero], "intended");

/**
 * `x` with its derivative multiplied by `-scale` (1 unless given): what comes after is trained as usual, what comes before
 * in the opposite direction (Ganin and Lempitsky 2015, https://arxiv.org/abs/1409.7495). Throws GradientError unless `x` is a
 * float.
 *
 * @example
 * ```ts
 * import { grad, gradientReversal, tensor } from "@cotangent/autograd";
 * const x = tensor([3]);
 * grad(gradientReversal(x, 0.5).sum(), [x])[0].toArray(); // => -0.5
 * ```
 */
export function gradientReversal<X extends Tensor>(x: X, scale = 1): Tensor<SizesOf<X>> {
  checkTensor("gradientReversal", x);
  if (!isFloat(x.dtype))
    throw new GradientError(`gradientReversal: ${x.dtype} has no gradient; cast it first`);
  const factor = fullLike(x as Tensor, -scale);
  return apply(reversalOp, [x.node, factor]) as Tensor as Tensor<SizesOf<X>>;
}
