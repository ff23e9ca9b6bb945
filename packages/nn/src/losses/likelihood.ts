import type { SizesOf } from "@cotangent/autograd/functional";
import {
  add,
  DTypeError,
  div,
  exp,
  gt,
  hideFrames,
  log,
  maximum,
  mul,
  ShapeError,
  square,
  straightThrough,
  sub,
  sum,
  Tensor,
  unsqueeze,
  ValueError,
  where,
  xlogy,
} from "@cotangent/autograd/functional";
import { logTwoPi } from "../constants.ts";
import { checkPositive, optionsOf } from "../options.ts";
import type { LossOptions, LossShape, LossWith, Reduction } from "./reduction.ts";
import { checkSameShape, elementwise, equal, format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of a distribution: how likely the target is in it, and how far it is from another one. */

export interface PoissonNllOptions {
  /** The prediction is the logarithm of the rate; true unless given. */
  readonly logInput?: boolean | undefined;
  /** Adds what depends on the target only, by Stirling's formula for targets above 1. */
  readonly full?: boolean | undefined;
  /** Added to a rate before its logarithm is taken; 1e-8 unless given. */
  readonly eps?: number | undefined;
}

/**
 * The negative logarithm of a Poisson distribution's probability of the count `y`; the prediction is the logarithm `x` of the rate:
 * `exp(x) - y x`, or with `logInput: false` the rate itself: `x - y log(x + eps)`. What depends on the target only is left out unless
 * asked for. Throws as `mse` does, and ValueError unless `eps` is a finite number above 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { poissonNll } from "@cotangent/nn/loss";
 * poissonNll(tensor([0, 0]), tensor([0, 3])).item(); // => 1
 * ```
 */
export const poissonNll: LossWith<PoissonNllOptions> = elementwise<PoissonNllOptions>(
  "poissonNll",
  (x, y, { logInput = true, full = false, eps = 1e-8 }) => {
    checkPositive("poissonNll: eps", eps);
    const losses: Tensor = logInput ? sub(exp(x), mul(y, x)) : sub(x, mul(y, log(add(x, eps) as Tensor)));
    if (!full) return losses;
    const large = gt(y, 1) as Tensor;
    const count: Tensor = where(large, y, 1);
    const logarithm = log(count);
    const stirling: Tensor = add(
      sub(mul(count, logarithm), count) as Tensor,
      mul(add(logarithm, logTwoPi) as Tensor, 0.5) as Tensor,
    );
    return add(losses, where(large, stirling, 0) as Tensor);
  },
  { logInput: "boolean", full: "boolean", eps: true },
);

export interface GaussianNllOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Adds `log(2 pi) / 2`, which does not depend on the prediction. */
  readonly full?: boolean | undefined;
  /** The least variance; 1e-6 unless given. */
  readonly eps?: number | undefined;
}

/**
 * The negative logarithm of a normal distribution's density at `target`, its mean the prediction:
 * `(log variance + (prediction - target)^2 / variance) / 2`. There is one variance for each element, or one for each row along
 * the last axis (which then has size 1, or is left out). Smaller variances than `eps` count as `eps`, and get the gradient of
 * that, as in PyTorch.
 *
 * Throws ShapeError if the shapes do not fit, ValueError for an unknown reduction and unless `eps` is a finite number above 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { gaussianNll } from "@cotangent/nn/loss";
 * gaussianNll(tensor([1, 2]), tensor([1, 4]), tensor([1, 1]), { reduction: "none" }).toArray(); // => 0,2
 * ```
 */
export function gaussianNll<X extends Tensor, R extends Reduction = "mean">(
  prediction: X,
  target: Tensor<SizesOf<X>>,
  variance: Tensor,
  options: GaussianNllOptions<R> = {},
): Tensor<LossShape<SizesOf<X>, R>> {
  const { full = false, eps = 1e-6 } = optionsOf<GaussianNllOptions>("gaussianNll", options, {
    reduction: true,
    full: "boolean",
    eps: true,
  });
  checkSameShape("gaussianNll", prediction, target);
  checkPositive("gaussianNll: eps", eps);
  const given = varianceFor(prediction, variance);
  const spread = straightThrough(given, maximum(given, eps) as Tensor);
  const losses = mul(0.5, add(log(spread), div(square(sub(prediction, target) as Tensor), spread)));
  const all: Tensor = full ? add(losses, 0.5 * logTwoPi) : losses;
  return reduced("gaussianNll", all, options) as Tensor<LossShape<SizesOf<X>, R>>;
}

/** The variance in a shape that broadcasts to the prediction's. */
function varianceFor(prediction: Tensor, variance: Tensor): Tensor {
  if (!(variance instanceof Tensor))
    throw new ValueError("gaussianNll: the variance is a tensor; make it with tensor(...) or full(...)");
  if (!variance.dtype.startsWith("float"))
    throw new DTypeError(`gaussianNll: the variance is a float, got ${variance.dtype}; cast it first`);
  const { shape } = prediction;
  if (equal(variance.shape, shape)) return variance;
  const rows = shape.slice(0, -1);
  if (shape.length > 0 && equal(variance.shape, [...rows, 1])) return variance;
  if (shape.length > 0 && equal(variance.shape, rows)) return unsqueeze(variance, -1);
  throw new ShapeError(
    `gaussianNll: prediction ${format(shape)} and variance ${format(variance.shape)} do not fit; the variance has the same ` +
      "shape, or one number for each row along the last axis",
  );
}

/** What becomes of the divergences of the elements; `batchMean` is their sum divided by the size of axis 0. */
export type DivergenceReduction = Reduction | "batchMean";

export interface KlDivOptions<R extends DivergenceReduction = DivergenceReduction> {
  /** `"mean"` unless given; `"batchMean"` is the divergence as it is defined. */
  readonly reduction?: R | undefined;
  /** The target consists of logarithms of probabilities too. */
  readonly logTarget?: boolean | undefined;
}

/**
 * The divergence of Kullback and Leibler (1951) from the prediction, logarithms of probabilities, to the target, probabilities:
 * `target (log target - prediction)`, 0 where the target is 0. Throws ShapeError unless both shapes are the same (for
 * `batchMean` with an axis), ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { klDiv } from "@cotangent/nn/loss";
 * const even = tensor([[0.5, 0.5]]).log();
 * klDiv(even, tensor([[1, 0]]), { reduction: "batchMean" }); // => Tensor(0.6931, float32)
 * ```
 */
export function klDiv<X extends Tensor, R extends DivergenceReduction = "mean">(
  prediction: X,
  target: Tensor<SizesOf<X>>,
  options: KlDivOptions<R> = {},
): Tensor<R extends "none" ? SizesOf<X> : []> {
  const { reduction = "mean", logTarget = false } = optionsOf<KlDivOptions>("klDiv", options, {
    reduction: true,
    logTarget: "boolean",
  });
  checkSameShape("klDiv", prediction, target);
  const [x, y]: [Tensor, Tensor] = [prediction, target];
  const losses: Tensor = logTarget ? mul(exp(y), sub(y, x)) : sub(xlogy(y, y), mul(y, x));
  const out =
    reduction === "batchMean"
      ? div(sum(losses), batchOf(losses))
      : reduced("klDiv", losses, { reduction }, "mean, sum, none and batchMean");
  return out as Tensor<R extends "none" ? SizesOf<X> : []>;
}

function batchOf({ shape }: Tensor): number {
  if (shape.length === 0)
    throw new ShapeError("klDiv: batchMean divides by the size of axis 0, got tensors without axes; use sum");
  return shape[0]!;
}
