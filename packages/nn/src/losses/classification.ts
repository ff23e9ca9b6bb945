import type { Binary, Tensor } from "@cotangent/autograd/functional";
import {
  DTypeError,
  div,
  functions,
  gather,
  hideFrames,
  log,
  log1p,
  logSoftmax,
  maximum,
  mul,
  neg,
  partial,
  pointwise,
  relu,
  reshape,
  ShapeError,
  sigmoid,
  square,
  sub,
  sum,
  unsqueeze,
  within,
} from "@cotangent/autograd/functional";
import type { Loss, LossOptions, LossShape, Reduction } from "./reduction.ts";
import { checkTensors, elementwise, equal, format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of a choice: of yes or no, or of one class among several. */

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
export const bce: Loss = elementwise("bce", bceOp);

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
export const bceWithLogits: Loss = elementwise("bceWithLogits", bceWithLogitsOp);

/**
 * Cross entropy of `softmax(logits)`, one for each row of `logits` [n, c], and a target: int32 classes [n], or probabilities
 * [n, c]. The mean is over the n rows.
 *
 * Throws ShapeError if the target has neither shape, DTypeError if classes are not int32, ValueError for an unknown
 * reduction, and at evaluation IndexError for a class outside `0 ... c - 1`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { crossEntropy } from "@cotangent/nn/loss";
 * const logits = tensor([[0, 0], [1000, 0]]);
 * crossEntropy(logits, tensor([1, 0], { dtype: "int32" }), { reduction: "none" }); // => Tensor([0.6931, 0.0000], float32)
 * ```
 */
export function crossEntropy<R extends Reduction = "mean">(
  logits: Tensor,
  target: Tensor,
  options: LossOptions<R> = {},
): Tensor<LossShape<[number], R>> {
  return reduced("crossEntropy", neg(logLikelihood(logits, target)), options) as Tensor<
    LossShape<[number], R>
  >;
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

/**
 * The negative log likelihood: for each row of `logProbabilities` [n, c] minus the entry of its class, int32 [n]. After
 * `logSoftmax` it is `crossEntropy`. Throws ShapeError or DTypeError if they do not fit, ValueError for an unknown reduction,
 * and at evaluation IndexError for a class outside `0 ... c - 1`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { nll } from "@cotangent/nn/loss";
 * nll(tensor([[-0.5, -1]]), tensor([1], { dtype: "int32" })).item(); // => 1
 * ```
 */
export function nll<R extends Reduction = "mean">(
  logProbabilities: Tensor,
  target: Tensor,
  options: LossOptions<R> = {},
): Tensor<LossShape<[number], R>> {
  checkTensors("nll", logProbabilities, target);
  const [n] = logProbabilities.shape;
  if (logProbabilities.rank !== 2 || !equal(target.shape, [n!]))
    throw new ShapeError(
      `nll: takes logarithms of probabilities [n, c] and classes [n], got ${format(logProbabilities.shape)} and ` +
        `${format(target.shape)}; reshape them`,
    );
  if (target.dtype !== "int32")
    throw new DTypeError(
      `nll: classes are int32, got ${target.dtype}; make them with { dtype: "int32" } or cast(target, "int32")`,
    );
  const likelihood = reshape(gather(logProbabilities, 1, unsqueeze(target, 1)), [n!]);
  return reduced("nll", neg(likelihood), options) as Tensor<LossShape<[number], R>>;
}

/** For each row the logarithm of its class's probability, or its mean under the target. */
function logLikelihood(logits: Tensor, target: Tensor): Tensor {
  checkTensors("crossEntropy", logits, target);
  const [n, c] = logits.shape;
  const shapes = `logits ${format(logits.shape)} and target ${format(target.shape)}`;
  if (logits.rank !== 2)
    throw new ShapeError(
      `crossEntropy: logits are [n, c], got ${shapes}; move the classes to the last axis and reshape`,
    );
  if (equal(target.shape, logits.shape)) return sum(mul(target, logSoftmax(logits, 1)), 1);
  if (!equal(target.shape, [n!]))
    throw new ShapeError(
      `crossEntropy: ${shapes} do not fit; the target is int32 classes [${n}] or probabilities [${n}, ${c}]: squeeze or ` +
        "reshape it",
    );
  if (target.dtype !== "int32")
    throw new DTypeError(
      `crossEntropy: classes are int32, got ${target.dtype}; make them with { dtype: "int32" } or cast(target, "int32")`,
    );
  return reshape(gather(logSoftmax(logits, 1), 1, unsqueeze(target, 1)), [n!]);
}
