import type { Binary, Shape, Unary } from "@cotangent/autograd";
import {
  abs,
  DTypeError,
  div,
  exp,
  functions,
  gather,
  hideFrames,
  log,
  log1p,
  logSoftmax,
  maximum,
  mean,
  minimum,
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
  Tensor,
  tanh,
  unsqueeze,
  ValueError,
  within,
} from "@cotangent/autograd";

hideFrames(import.meta.url);

/** What becomes of the losses of the elements: their mean, their sum, or they stay as they are. */
export type Reduction = "mean" | "sum" | "none";

/** The shape of a loss: one number, or with `"none"` one for each element. */
export type LossShape<S extends Shape, R extends Reduction> = R extends "none" ? S : [];

export interface LossOptions<R extends Reduction = Reduction> {
  /** `"mean"` unless given. */
  readonly reduction?: R;
}

/** A loss of a prediction and a target of the same shape. */
export type Loss = <S extends Shape, R extends Reduction = "mean">(
  prediction: Tensor<S>,
  target: Tensor<S>,
  options?: LossOptions<R>,
) => Tensor<LossShape<S, R>>;

/** A loss from what it is for one element. It never broadcasts. */
function elementwise(name: string, loss: (prediction: Tensor, target: Tensor) => Tensor): Loss {
  return ((prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    checkSameShape(name, prediction, target);
    return reduced(name, loss(prediction, target), options);
  }) as Loss;
}

/**
 * The squared error `(prediction - target)^2`. Throws ShapeError unless both shapes are the same, ValueError for an unknown
 * reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { mse } from "@cotangent/nn/loss";
 * mse(tensor([1, 2, 3]), tensor([1, 2, 6])).item(); // => 3
 * mse(tensor([1, 2, 3]), tensor([1, 2, 6]), { reduction: "sum" }).item(); // => 9
 * ```
 */
export const mse: Loss = elementwise("mse", (x, y) => square(sub(x, y)));

/**
 * The absolute error `|prediction - target|`; where both are equal its derivative is 0. Throws ShapeError unless both shapes
 * are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { l1 } from "@cotangent/nn/loss";
 * l1(tensor([1, 2]), tensor([4, 1]), { reduction: "none" }).toArray(); // => 3,1
 * ```
 */
export const l1: Loss = elementwise("l1", (x, y) => abs(sub(x, y)));

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

/** The square of the `hinge`, which has no kink. Throws as `hinge` does. */
export const squaredHinge: Loss = elementwise("squaredHinge", (x, y) => square(relu(sub(1, mul(x, y)))));

/**
 * `max(0, -target prediction)` for targets -1 and 1: the loss whose gradient gives the perceptron's rule (Rosenblatt 1958);
 * at the kink its derivative is 0. Throws as `hinge` does.
 */
export const perceptron: Loss = elementwise("perceptron", (x, y) => relu(neg(mul(x, y))));

const logCoshOp: Unary = pointwise({
  name: "logCosh",
  body: (m, x) => {
    const size = m.abs(x!);
    return m.add(size, functions.log1p(m, m.mul(functions.expm1(m, m.mul(size, -2)), 0.5)));
  },
  derivatives: [partial((_, x) => tanh(x!))],
  samples: within([-3, 3]),
  accepts: "float",
});

/**
 * `log(cosh(prediction - target))`, without overflow: half the square of small errors and the size of large ones, less
 * `log 2`. Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 */
export const logCosh: Loss = elementwise("logCosh", (x, y) => logCoshOp(sub(x, y)));

/**
 * The negative logarithm of a Poisson distribution's probability of the count `target`, less what depends on the target only;
 * the prediction is the logarithm `x` of the rate: `exp(x) - y x`. Throws as `mse` does.
 */
export const poissonNll: Loss = elementwise("poissonNll", (x, y) => sub(exp(x), mul(y, x)));

export interface HuberOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Where the square becomes a line; 1 unless given. */
  readonly delta?: number;
}

/**
 * Half the square of errors up to `delta`, and `delta (|error| - delta / 2)` of larger ones (Huber 1964). Throws ShapeError
 * unless both shapes are the same, ValueError for an unknown reduction and unless `delta` is a finite number above 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { huber } from "@cotangent/nn/loss";
 * huber(tensor([1, 5]), tensor([0, 0]), { delta: 2, reduction: "none" }).toArray(); // => 0.5,8
 * ```
 */
export function huber<S extends Shape, R extends Reduction = "mean">(
  prediction: Tensor<S>,
  target: Tensor<S>,
  options: HuberOptions<R> = {},
): Tensor<LossShape<S, R>> {
  const { delta = 1 } = options;
  if (!(delta > 0 && delta < Infinity))
    throw new ValueError(`huber: delta is a finite number above 0, got ${delta}`);
  return elementwise("huber", (x, y) => huberOf(sub(x, y), delta))(prediction, target, options);
}

export interface SmoothL1Options<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Where the square becomes a line; 1 unless given, 0 for `l1`. */
  readonly beta?: number;
}

/**
 * `huber` with `delta = beta`, divided by `beta`: the slope of large errors is 1. Throws ShapeError unless both shapes are the
 * same, ValueError for an unknown reduction and unless `beta` is a finite number of at least 0.
 */
export function smoothL1<S extends Shape, R extends Reduction = "mean">(
  prediction: Tensor<S>,
  target: Tensor<S>,
  options: SmoothL1Options<R> = {},
): Tensor<LossShape<S, R>> {
  const { beta = 1 } = options;
  if (!(beta >= 0 && beta < Infinity))
    throw new ValueError(`smoothL1: beta is a finite number of at least 0, got ${beta}`);
  const loss = (x: Tensor, y: Tensor) => (beta === 0 ? abs(sub(x, y)) : div(huberOf(sub(x, y), beta), beta));
  return elementwise("smoothL1", loss)(prediction, target, options);
}

/** With the error cut to `delta` there is one formula for both parts, and no branch that could spoil the other. */
function huberOf(error: Tensor, delta: number): Tensor {
  const cut = maximum(minimum(error, delta), -delta);
  return mul(cut, sub(error, mul(cut, 0.5)));
}

/**
 * The negative log likelihood: for each row of `logProbabilities` [n, c] minus the entry of its class, int32 [n]. After
 * `logSoftmax` it is `crossEntropy`. Throws ShapeError or DTypeError if they do not fit, ValueError for an unknown reduction,
 * and at evaluation IndexError for a class outside `0 ... c - 1`.
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

function checkTensors(name: string, prediction: Tensor, target: Tensor): void {
  if (prediction instanceof Tensor && target instanceof Tensor) return;
  throw new ValueError(`${name}: takes two tensors, a prediction and a target; make them with tensor(...)`);
}

function checkSameShape(name: string, prediction: Tensor, target: Tensor): void {
  checkTensors(name, prediction, target);
  if (equal(prediction.shape, target.shape)) return;
  const remedy =
    prediction.size === target.size
      ? `reshape one of them, for example target.reshape(${format(prediction.shape)})`
      : "a loss compares element by element and does not broadcast";
  throw new ShapeError(
    `${name}: prediction ${format(prediction.shape)} and target ${format(target.shape)} differ in shape; ${remedy}`,
  );
}

function reduced(name: string, losses: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  switch (reduction) {
    case "mean":
      return mean(losses);
    case "sum":
      return sum(losses);
    case "none":
      return losses;
    default:
      throw new ValueError(
        `${name}: unknown reduction ${String(reduction)}; the reductions are mean, sum and none`,
      );
  }
}

const format = (shape: Shape): string => `[${shape.join(", ")}]`;
const equal = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);
