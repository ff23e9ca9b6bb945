import type { Shape, SizesOf, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  arange,
  cat,
  clamp,
  div,
  eq,
  hideFrames,
  matmul,
  minimum,
  mul,
  norm,
  normalize,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  transpose,
  ValueError,
  where,
  zeros,
} from "@cotangent/autograd/functional";
import type { Known } from "../options.ts";
import { checkNumber, checkPositive, optionsOf } from "../options.ts";
import { crossEntropy } from "./classes.ts";
import type { LossOptions, LossShape, Reduction } from "./reduction.ts";
import { checkSameShape, checkTensors, equal, format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses that compare what a model makes of several things: which is better, which belong together. */

export interface MarginOption {
  /** How far the right side has to be ahead. */
  readonly margin?: number | undefined;
}

const plain: Known<LossOptions & MarginOption> = { reduction: true, margin: true };

/** The margin. Throws ValueError unless it is a finite number, and for options that are not `known`. */
function marginOf<T extends MarginOption>(name: string, options: T, usual: number, known: Known<T>): number {
  const { margin = usual } = optionsOf(name, options, known);
  checkNumber(`${name}: margin`, margin);
  return margin;
}

/**
 * `max(0, margin - target (x1 - x2))`: the first score should be the larger one where the target is 1, the second where it is -1.
 * `margin` is 0 unless given. Throws ShapeError unless all shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { marginRanking } from "@cotangent/nn/loss";
 * marginRanking(tensor([1, 2]), tensor([3, 1]), tensor([1, 1]), { reduction: "none" }).toArray(); // => 2,0
 * ```
 */
export function marginRanking<X extends Tensor, R extends Reduction = "mean">(
  x1: X,
  x2: Tensor<SizesOf<X>>,
  target: Tensor<SizesOf<X>>,
  options: LossOptions<R> & MarginOption = {},
): Tensor<LossShape<SizesOf<X>, R>> {
  const margin = marginOf("marginRanking", options, 0, plain);
  checkSameShape("marginRanking", x1, x2);
  checkSameShape("marginRanking", x1, target);
  const ahead: Tensor = mul(target as Tensor, sub(x1, x2) as Tensor);
  return reduced("marginRanking", clamp(sub(margin, ahead) as Tensor, 0), options) as Tensor<
    LossShape<SizesOf<X>, R>
  >;
}

/**
 * For pairs of vectors [n, d] and targets [n] (or [d] and []): `1 - cos(x1, x2)` where the target is 1, and
 * `max(0, cos(x1, x2) - margin)` where it is -1; `margin` is 0 unless given. Throws ShapeError if the shapes do not fit, ValueError
 * for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { cosineEmbedding } from "@cotangent/nn/loss";
 * const [x, y] = [tensor([[1, 0], [1, 0]]), tensor([[2, 0], [0, 1]])];
 * cosineEmbedding(x, y, tensor([-1, 1]), { reduction: "none" }).toArray(); // => 1,1
 * ```
 */
export function cosineEmbedding<R extends Reduction = "mean">(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: LossOptions<R> & MarginOption = {},
): Tensor<LossShape<Shape, R>> {
  const margin = marginOf("cosineEmbedding", options, 0, plain);
  checkSameShape("cosineEmbedding", x1, x2);
  checkTensors("cosineEmbedding", x1, target);
  if (x1.rank < 1 || x1.rank > 2 || !equal(target.shape, x1.shape.slice(0, -1)))
    throw new ShapeError(
      `cosineEmbedding: takes vectors [n, d] and targets [n], or [d] and [], got ${format(x1.shape)} and ${format(target.shape)}`,
    );
  // PyTorch's guard against vectors of length 0.
  const size = (x: Tensor): Tensor => add(sum(square(x), -1) as Tensor, 1e-12);
  const cos = div(
    sum(mul(x1, x2) as Tensor, -1) as Tensor,
    sqrt(mul(size(x1), size(x2)) as Tensor) as Tensor,
  );
  const apart: Tensor = where(eq(target, -1) as Tensor, clamp(sub(cos, margin) as Tensor, 0), 0);
  const losses: Tensor = where(eq(target, 1) as Tensor, sub(1, cos) as Tensor, apart);
  return reduced("cosineEmbedding", losses, options) as Tensor<LossShape<Shape, R>>;
}

export interface TripletMarginOptions extends MarginOption {
  /** The norm that distances are measured with; 2 unless given. */
  readonly p?: number | undefined;
  /** Added to each difference, so that a distance of 0 has a gradient; 1e-6 unless given. */
  readonly eps?: number | undefined;
  /** Takes the distance from positive to negative where it is smaller (Balntas et al. 2016). */
  readonly swap?: boolean | undefined;
}

/**
 * `max(0, |anchor - positive| - |anchor - negative| + margin)` for vectors along the last axis; `margin` is 1 unless given (Schroff,
 * Kalenichenko and Philbin 2015, https://arxiv.org/abs/1503.03832). Throws ShapeError unless all shapes are the same and have an
 * axis, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { tripletMargin } from "@cotangent/nn/loss";
 * tripletMargin(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]]), { eps: 0 }).item(); // => 4
 * ```
 */
export function tripletMargin<R extends Reduction = "mean">(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: LossOptions<R> & TripletMarginOptions = {},
): Tensor<LossShape<Shape, R>> {
  const margin = marginOf<LossOptions & TripletMarginOptions>("tripletMargin", options, 1, {
    ...plain,
    p: true,
    eps: true,
    swap: "boolean",
  });
  const { p = 2, eps = 1e-6, swap = false } = options;
  checkNumber("tripletMargin: eps", eps);
  if (!(typeof p === "number" && p > 0))
    throw new ValueError(`tripletMargin: p is a number above 0, or Infinity, got ${String(p)}`);
  checkSameShape("tripletMargin", anchor, positive);
  checkSameShape("tripletMargin", anchor, negative);
  if (anchor.rank === 0)
    throw new ShapeError("tripletMargin: takes vectors along the last axis, got shape []");
  const distance = (x: Tensor, y: Tensor): Tensor => norm(add(sub(x, y) as Tensor, eps) as Tensor, -1, { p });
  const near = distance(anchor, positive);
  const far = distance(anchor, negative);
  const wrong = swap ? (minimum(far, distance(positive, negative)) as Tensor) : far;
  const losses: Tensor = clamp(add(sub(near, wrong) as Tensor, margin) as Tensor, 0);
  return reduced("tripletMargin", losses, options) as Tensor<LossShape<Shape, R>>;
}

export interface InfoNCEOptions {
  /** What similarities are divided by; 0.1 unless given. */
  readonly temperature?: number | undefined;
  /** What no query belongs to, [m, d]; the keys of the other queries unless given. */
  readonly negatives?: Tensor | undefined;
}

/**
 * The cross entropy of finding for each query [n, d] its own key [n, d] among the keys of all, or among `negatives`, by the cosines of
 * their angles divided by `temperature` (van den Oord, Li and Vinyals 2018, https://arxiv.org/abs/1807.03748). Throws ShapeError if
 * the shapes do not fit, ValueError for an unknown reduction and unless `temperature` is a finite number above 0.
 *
 * @example
 * ```ts
 * import { eye } from "@cotangent/autograd";
 * import { infoNCE } from "@cotangent/nn/loss";
 * infoNCE(eye(2), eye(2), { temperature: 1 }); // => Tensor(0.3133, float32)
 * ```
 */
export function infoNCE<R extends Reduction = "mean">(
  query: Tensor,
  key: Tensor,
  options: LossOptions<R> & InfoNCEOptions = {},
): Tensor<LossShape<[number], R>> {
  const { temperature = 0.1, negatives } = optionsOf<LossOptions & InfoNCEOptions>("infoNCE", options, {
    reduction: true,
    temperature: true,
    negatives: true,
  });
  checkSameShape("infoNCE", query, key);
  if (query.rank !== 2) throw new ShapeError(`infoNCE: takes vectors [n, d], got ${format(query.shape)}`);
  checkPositive("infoNCE: temperature", temperature);
  const [n, d] = query.shape as [number, number];
  if (negatives !== undefined) checkTensors("infoNCE", query, negatives);
  if (negatives && (negatives.rank !== 2 || negatives.shape[1] !== d))
    throw new ShapeError(
      `infoNCE: negatives ${format(negatives.shape)} for vectors of ${d} features; they are [m, ${d}]`,
    );
  const direction = (x: Tensor): Tensor => normalize(x, { axis: -1 });
  const [q, k] = [direction(query), direction(key)];
  const others: Tensor = matmul(q, transpose(negatives ? direction(negatives) : k) as Tensor);
  const scores = negatives
    ? (cat([sum(mul(q, k) as Tensor, 1, { keepDims: true }), others], 1) as Tensor)
    : others;
  const places = negatives ? zeros([n], { dtype: "int32" }) : arange(0, n, 1, { dtype: "int32" });
  const scaled = div(scores, temperature) as Tensor;
  const losses: Tensor = crossEntropy(scaled, places as Tensor, { reduction: "none" });
  return reduced("infoNCE", losses, options) as Tensor<LossShape<[number], R>>;
}
