import {
  add,
  cast,
  DTypeError,
  div,
  gather,
  hideFrames,
  logSoftmax,
  mul,
  ne,
  neg,
  reshape,
  ShapeError,
  sum,
  Tensor,
  unsqueeze,
  ValueError,
  where,
} from "@cotangent/autograd/functional";
import { checkShare, optionsOf } from "../options.ts";
import type { LossOptions, LossShape, Reduction } from "./reduction.ts";
import { checkTensors, equal, format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of one class among several. */

export interface ClassOptions {
  /** How much each class counts, [c]; 1 unless given. The mean is then divided by the weights of the classes that occur. */
  readonly weight?: Tensor;
  /** Rows with this class count for nothing, and not in the mean; no class unless given (PyTorch's -100 must be told). */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassOptions {
  /**
   * Between 0 and 1: how much of the target is spread evenly over all classes (Szegedy et al. 2016,
   * https://arxiv.org/abs/1512.00567); 0 unless given.
   */
  readonly labelSmoothing?: number;
}

/**
 * Cross entropy of `softmax(logits)`, one for each row of `logits` [n, c], and a target: int32 classes [n], or probabilities
 * [n, c]. The mean is over the n rows, of classes with `weight` the weighted one. The formulas are PyTorch's.
 *
 * Throws ShapeError if the target has neither shape or the weight is not [c], DTypeError if classes are not int32, ValueError for
 * an unknown reduction, for smoothing that is no share and for `ignoreIndex` beside probabilities, and at evaluation IndexError for
 * a class outside `0 ... c - 1`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { crossEntropy } from "@cotangent/nn/loss";
 * const logits = tensor([[0, 0], [1000, 0]]);
 * const classes = tensor([1, 0], { dtype: "int32" });
 * crossEntropy(logits, classes, { reduction: "none" }); // => Tensor([0.6931, 0.0000], float32)
 * crossEntropy(logits, classes, { ignoreIndex: 1 }).item(); // => 0
 * ```
 */
export function crossEntropy<R extends Reduction = "mean">(
  logits: Tensor,
  target: Tensor,
  options: LossOptions<R> & CrossEntropyOptions = {},
): Tensor<LossShape<[number], R>> {
  const {
    labelSmoothing = 0,
    weight,
    ignoreIndex,
  } = optionsOf("crossEntropy", options, {
    reduction: true,
    weight: true,
    ignoreIndex: true,
    labelSmoothing: true,
  });
  checkTensors("crossEntropy", logits, target);
  checkShare("crossEntropy: labelSmoothing", labelSmoothing);
  const [n, c] = logits.shape;
  const shapes = `logits ${format(logits.shape)} and target ${format(target.shape)}`;
  if (logits.rank !== 2)
    throw new ShapeError(
      `crossEntropy: logits are [n, c], got ${shapes}; move the classes to the last axis and reshape`,
    );
  checkWeight("crossEntropy", weight, c!);
  const scores = logSoftmax(logits, 1);
  let out: Tensor;
  if (equal(target.shape, logits.shape)) {
    if (ignoreIndex !== undefined)
      throw new ValueError("crossEntropy: ignoreIndex is for classes, and the target has probabilities");
    const smooth = labelSmoothing > 0 ? add(mul(target, 1 - labelSmoothing), labelSmoothing / c!) : target;
    const likelihood = sum(mul(weight ? mul(smooth, weight) : smooth, scores), 1);
    out = reduced("crossEntropy", neg(likelihood), options);
  } else {
    if (!equal(target.shape, [n!]))
      throw new ShapeError(
        `crossEntropy: ${shapes} do not fit; the target is int32 classes [${n}] or probabilities [${n}, ${c}]: squeeze or ` +
          "reshape it",
      );
    out = ofClasses("crossEntropy", scores, target, options, labelSmoothing);
  }
  return out as Tensor<LossShape<[number], R>>;
}

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
  options: LossOptions<R> & ClassOptions = {},
): Tensor<LossShape<[number], R>> {
  const { weight } = optionsOf("nll", options, { reduction: true, weight: true, ignoreIndex: true });
  checkTensors("nll", logProbabilities, target);
  const [n, c] = logProbabilities.shape;
  if (logProbabilities.rank !== 2 || !equal(target.shape, [n!]))
    throw new ShapeError(
      `nll: takes logarithms of probabilities [n, c] and classes [n], got ${format(logProbabilities.shape)} and ` +
        `${format(target.shape)}; reshape them`,
    );
  checkWeight("nll", weight, c!);
  return ofClasses("nll", logProbabilities, target, options, 0) as Tensor<LossShape<[number], R>>;
}

/** Throws ValueError or ShapeError unless there are no weights, or one for each class. */
export function checkWeight(name: string, weight: Tensor | undefined, classes: number): void {
  if (weight === undefined) return;
  if (!(weight instanceof Tensor))
    throw new ValueError(
      `${name}: weight is a tensor [${classes}], got ${String(weight)}; leave it out, or use tensor(...)`,
    );
  if (!equal(weight.shape, [classes]))
    throw new ShapeError(
      `${name}: weight ${format(weight.shape)} for ${classes} classes; it needs shape [${classes}]`,
    );
}

/** Throws DTypeError unless the classes are int32. */
export function checkClasses(name: string, { dtype }: Tensor): void {
  if (dtype !== "int32")
    throw new DTypeError(
      `${name}: classes are int32, got ${dtype}; make them with { dtype: "int32" } or cast(target, "int32")`,
    );
}

/** The losses of rows of `scores`, logarithms of probabilities, for int32 classes. */
function ofClasses(
  name: string,
  scores: Tensor,
  target: Tensor,
  options: LossOptions & ClassOptions,
  smoothing: number,
): Tensor {
  checkClasses(name, target);
  const { weight, ignoreIndex, reduction = "mean" } = options;
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex))
    throw new ValueError(`${name}: ignoreIndex is a whole number, got ${String(ignoreIndex)}`);
  const [n, c] = scores.shape as [number, number];
  const counts = ignoreIndex === undefined ? null : ne(target, ignoreIndex);
  const classes = counts ? where(counts, target, 0) : target;
  const kept = (x: Tensor): Tensor => (counts ? where(counts, x, 0) : x);
  const errors = { caller: name };
  const own: Tensor | null = weight ? gather(weight, 0, classes, errors) : null;
  const likelihood: Tensor = reshape(gather(scores, 1, unsqueeze(classes, 1), errors), [n]);
  let losses = kept(neg(own ? mul(likelihood, own) : likelihood));
  if (smoothing > 0) {
    const spread = kept(neg(sum(weight ? mul(scores, weight) : scores, 1)));
    losses = add(mul(losses, 1 - smoothing), mul(spread, smoothing / c));
  }
  if (reduction !== "mean" || !(own || counts)) return reduced(name, losses, options);
  return div(sum(losses), sum(own ? kept(own) : cast(counts!, losses.dtype)));
}
