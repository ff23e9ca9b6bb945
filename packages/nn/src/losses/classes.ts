import type { Shape, SizesOf } from "@cotangent/autograd/functional";
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
  readonly weight?: Tensor | undefined;
  /**
   * Rows with this class count for nothing, and not in the mean; none unless given: a class that there is not is an error then, which
   * costs nothing (PyTorch's -100 must be told).
   */
  readonly ignoreIndex?: number | undefined;
}

export interface CrossEntropyOptions extends ClassOptions {
  /**
   * Between 0 and 1: how much of the target is spread evenly over all classes (Szegedy et al. 2016,
   * https://arxiv.org/abs/1512.00567); 0 unless given.
   */
  readonly labelSmoothing?: number | undefined;
}

/** The shape of scores without the axis of the classes. */
export type WithoutClasses<S extends Shape> = S extends readonly [
  infer N extends number,
  number,
  ...infer D extends Shape,
]
  ? [N, ...D]
  : S extends readonly [number]
    ? []
    : Shape;

/**
 * Cross entropy of `softmax(logits)` and a target. `logits` are [n, c], or [n, c, d1, d2, ...] with the classes on axis 1 and a
 * row for each place, or [c]; the target is int32 classes of that shape without c, or probabilities of the whole shape. The mean is
 * over all rows, of classes with `weight` the weighted one. The formulas are PyTorch's.
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
 *
 * const [image, mask] = [tensor([[[9, 0, 0]], [[0, 9, 9]]]), tensor([[0, 1, 1]], { dtype: "int32" })];
 * crossEntropy(image.unsqueeze(0), mask.unsqueeze(0)); // => Tensor(0.0001, float32)
 * ```
 */
export function crossEntropy<X extends Tensor, R extends Reduction = "mean">(
  logits: X,
  target: Tensor,
  options: LossOptions<R> & CrossEntropyOptions = {},
): Tensor<LossShape<WithoutClasses<SizesOf<X>>, R>> {
  const {
    labelSmoothing = 0,
    weight,
    ignoreIndex,
  } = optionsOf<LossOptions & CrossEntropyOptions>("crossEntropy", options, {
    reduction: true,
    weight: true,
    ignoreIndex: true,
    labelSmoothing: true,
  });
  checkTensors("crossEntropy", logits, target);
  checkShare("crossEntropy: labelSmoothing", labelSmoothing);
  const { shape } = logits;
  const axis = classAxis("crossEntropy", "logits", shape);
  const c = shape[axis]!;
  checkWeight("crossEntropy", weight, c);
  const scores: Tensor = logSoftmax(logits as Tensor, axis);
  let out: Tensor;
  // Whole numbers are probabilities only where they cannot be meant as the classes of as many rows.
  if (equal(target.shape, shape) && (axis === 1 || target.dtype !== "int32")) {
    if (ignoreIndex !== undefined)
      throw new ValueError("crossEntropy: ignoreIndex is for classes, and the target has probabilities");
    const smooth = labelSmoothing > 0 ? add(mul(target, 1 - labelSmoothing), labelSmoothing / c) : target;
    const likelihood = sum(mul(weight ? mul(smooth, stretched(weight, shape)) : smooth, scores), axis);
    out = reduced("crossEntropy", neg(likelihood), options);
  } else {
    const rows = shape.toSpliced(axis, 1);
    if (!equal(target.shape, rows))
      throw new ShapeError(
        `crossEntropy: logits ${format(shape)} and target ${format(target.shape)} do not fit; the target is int32 classes ` +
          `${format(rows)} or probabilities ${format(shape)}: squeeze or reshape it, or move the classes to axis 1`,
      );
    out = ofClasses("crossEntropy", scores, target, options, labelSmoothing);
  }
  return out as Tensor<LossShape<WithoutClasses<SizesOf<X>>, R>>;
}

/**
 * The negative log likelihood: for each row of `logProbabilities` [n, c] minus the entry of its class, int32 [n]; also [n, c, d1, ...]
 * and [n, d1, ...], or [c] and []. After `logSoftmax` along the classes it is `crossEntropy`. Throws ShapeError or DTypeError if they do not fit,
 * ValueError for an unknown reduction, and at evaluation IndexError for a class outside `0 ... c - 1`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { nll } from "@cotangent/nn/loss";
 * nll(tensor([[-0.5, -1]]), tensor([1], { dtype: "int32" })).item(); // => 1
 * ```
 */
export function nll<X extends Tensor, R extends Reduction = "mean">(
  logProbabilities: X,
  target: Tensor,
  options: LossOptions<R> & ClassOptions = {},
): Tensor<LossShape<WithoutClasses<SizesOf<X>>, R>> {
  const { weight } = optionsOf<LossOptions & ClassOptions>("nll", options, {
    reduction: true,
    weight: true,
    ignoreIndex: true,
  });
  checkTensors("nll", logProbabilities, target);
  const { shape } = logProbabilities;
  const axis = classAxis("nll", "logarithms of probabilities", shape);
  const rows = shape.toSpliced(axis, 1);
  if (!equal(target.shape, rows))
    throw new ShapeError(
      `nll: takes logarithms of probabilities ${format(shape)} and classes ${format(rows)}, got classes ` +
        `${format(target.shape)}; reshape them, or move the classes to axis 1`,
    );
  checkWeight("nll", weight, shape[axis]!);
  return ofClasses("nll", logProbabilities, target, options, 0) as Tensor<
    LossShape<WithoutClasses<SizesOf<X>>, R>
  >;
}

/** The axis of the classes: 1, or that of a single row. Throws ShapeError where there is none. */
function classAxis(name: string, what: string, shape: Shape): number {
  if (shape.length === 0)
    throw new ShapeError(`${name}: ${what} are [n, c], [n, c, d1, ...] or [c], got []; reshape them`);
  return shape.length === 1 ? 0 : 1;
}

/** Numbers of the classes [c], to be broadcast to scores of `shape`. */
function stretched(weight: Tensor, shape: Shape): Tensor {
  return shape.length > 2 ? reshape(weight, [weight.size, ...shape.slice(2).map(() => 1)]) : weight;
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

/** The losses of rows of `scores`, logarithms of probabilities, for int32 classes that fit. */
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
  const { shape } = target;
  const axis = scores.rank === 1 ? 0 : 1;
  const counts = ignoreIndex === undefined ? null : ne(target, ignoreIndex);
  const classes = counts ? where(counts, target, 0) : target;
  const kept = (x: Tensor): Tensor => (counts ? where(counts, x, 0) : x);
  const errors = { caller: name };
  const own: Tensor | null = weight
    ? reshape(gather(weight, 0, reshape(classes, [classes.size]), errors), shape)
    : null;
  const likelihood: Tensor = reshape(gather(scores, axis, unsqueeze(classes, axis), errors), shape);
  let losses = kept(neg(own ? mul(likelihood, own) : likelihood));
  if (smoothing > 0) {
    const weighed = weight ? mul(scores, stretched(weight, scores.shape)) : scores;
    const spread = kept(neg(sum(weighed, axis)));
    losses = add(mul(losses, 1 - smoothing), mul(spread, smoothing / scores.shape[axis]!));
  }
  if (reduction !== "mean" || !(own || counts)) return reduced(name, losses, options);
  return div(sum(losses), sum(own ? kept(own) : cast(counts!, losses.dtype)));
}
