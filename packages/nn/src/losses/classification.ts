import type { Binary, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  div,
  functions,
  hideFrames,
  log,
  log1p,
  logSigmoid,
  maximum,
  mul,
  neg,
  partial,
  pointwise,
  relu,
  ShapeError,
  sigmoid,
  square,
  sub,
  within,
} from "@cotangent/autograd/functional";
import type { Loss, LossWith } from "./reduction.ts";
import { elementwise, format } from "./reduction.ts";

hideFrames(import.meta.url);

export interface WeightOption {
  /** How much each element counts; it broadcasts to the prediction. The mean is over the number of elements still. */
  readonly weight?: Tensor;
}

export interface BceWithLogitsOptions extends WeightOption {
  /** How much more a yes counts than a no, for each class on the last axis; it broadcasts to the target. */
  readonly posWeight?: Tensor;
}

/** Losses of yes or no. */

/**
 * As ops of their own, because the derivatives of the composed formulas are not those of PyTorch where a logarithm is
 * clamped, and wrong where |x| has its kink.
 */
const bceOp: Binary = pointwise({
  name: "bce",
  body: (m, x, y) => {
    const no = functions.log1p(m, m.neg(x!));
    const yes = functions.log(m, x!);
    return m.sub(m.mul(m.sub(y!, 1), m.pmax(no, -100)), m.mul(y!, m.pmax(yes, -100)));
  },
  derivatives: [
    partial((_, x, y) => div(sub(x!, y!), maximum(mul(sub(1, x!), x!), Math.fround(1e-12)))),
    partial((_, x) => sub(maximum(log1p(neg(x!)), -100), maximum(log(x!), -100))),
  ],
  samples: within([0.1, 0.9], [0.1, 0.9]),
  accepts: "float",
});

const bceWithLogitsOp: Binary = pointwise({
  name: "bceWithLogits",
  body: (m, x, y) =>
    m.add(
      m.sub(m.select(m.le(x!, 0), 0, x!), m.mul(x!, y!)),
      functions.log1p(m, functions.exp(m, m.neg(m.abs(x!)))),
    ),
  derivatives: [partial((_, x, y) => sub(sigmoid(x!), y!)), partial((_, x) => neg(x!))],
  samples: within([-4, 4], [0, 1]),
  accepts: "float",
});

/**
 * Binary cross entropy of probabilities: `-(y log x + (1 - y) log(1 - x))` for a prediction `x` and a target `y`, both between
 * 0 and 1 (outside, the result is NaN). Logarithms are at least -100 and the derivative's denominator `x (1 - x)` at least
 * 1e-12, as in PyTorch. Prefer `bceWithLogits`, which needs neither.
 *
 * Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { bce } from "@cotangent/nn/loss";
 * bce(tensor([0.5, 0.5]), tensor([0, 1])); // => Tensor(0.6931, float32)
 * ```
 */
export const bce: LossWith<WeightOption> = elementwise<WeightOption>("bce", (x, y, { weight }) =>
  weighed("bce", bceOp(x, y), weight),
);

/**
 * Binary cross entropy of `sigmoid(x)` and a target `y` between 0 and 1, without overflow for any logits `x`:
 * `max(x, 0) - x y + log(1 + exp(-|x|))`. Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { bceWithLogits } from "@cotangent/nn/loss";
 * bceWithLogits(tensor([0, 1000]), tensor([1, 1]), { reduction: "none" }); // => Tensor([0.6931, 0.0000], float32)
 * ```
 */
export const bceWithLogits: LossWith<BceWithLogitsOptions> = elementwise<BceWithLogitsOptions>(
  "bceWithLogits",
  (x, y, { weight, posWeight }) => {
    if (posWeight === undefined) return weighed("bceWithLogits", bceWithLogitsOp(x, y), weight);
    const yes = mul(weighed("bceWithLogits", y, posWeight), logSigmoid(x));
    const no = mul(sub(1, y), logSigmoid(neg(x)));
    return weighed("bceWithLogits", neg(add(yes, no)), weight);
  },
);

/** Times a weight that is stretched to the shape. */
function weighed(name: string, x: Tensor, weight: Tensor | undefined): Tensor {
  if (weight === undefined) return x;
  const fits =
    weight.rank <= x.rank &&
    weight.shape.every((size, i) => size === 1 || size === x.shape[x.rank - weight.rank + i]);
  if (!fits)
    throw new ShapeError(`${name}: weights ${format(weight.shape)} do not stretch to ${format(x.shape)}`);
  return mul(x, weight);
}

/**
 * The hinge `max(0, 1 - target prediction)` for targets -1 and 1; at the kink its derivative is 0. Throws ShapeError unless
 * both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { hinge } from "@cotangent/nn/loss";
 * hinge(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: "none" }).toArray(); // => 0,0.5,2
 * ```
 */
export const hinge: Loss = elementwise("hinge", (x, y) => relu(sub(1, mul(x, y))));

/**
 * The square of the `hinge`, which has no kink. Throws as `hinge` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { squaredHinge } from "@cotangent/nn/loss";
 * squaredHinge(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: "none" }).toArray(); // => 0,0.25,4
 * ```
 */
export const squaredHinge: Loss = elementwise("squaredHinge", (x, y) => square(relu(sub(1, mul(x, y)))));

/**
 * `max(0, -target prediction)` for targets -1 and 1: the loss whose gradient gives the perceptron's rule (Rosenblatt 1958);
 * at the kink its derivative is 0. Throws as `hinge` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { perceptron } from "@cotangent/nn/loss";
 * perceptron(tensor([2, 0.5, -1]), tensor([1, -1, 1]), { reduction: "none" }).toArray(); // => 0,0.5,1
 * ```
 */
export const perceptron: Loss = elementwise("perceptron", (x, y) => relu(neg(mul(x, y))));
