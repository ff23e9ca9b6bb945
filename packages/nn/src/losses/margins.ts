import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  arange,
  eq,
  gather,
  hideFrames,
  mean,
  mul,
  pow,
  relu,
  ShapeError,
  sigmoid,
  square,
  sub,
  unsqueeze,
  ValueError,
  where,
} from "@cotangent/autograd/functional";
import { checkNumber, checkShare, optionsOf } from "../options.ts";
import { checkClasses, checkWeight } from "./classes.ts";
import { bceWithLogits } from "./classification.ts";
import type { LossOptions, LossShape, LossWith, Reduction } from "./reduction.ts";
import { checkTensors, elementwise, equal, format, reduced } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of classes that look at the hard cases: at scores too near the right one, at examples that are not learned yet. */

export interface MultiMarginOptions {
  /** How far the score of the right class has to be ahead of each other; 1 unless given. */
  readonly margin?: number | undefined;
  /** 1 unless given, or 2 for the square of what is missing. */
  readonly p?: 1 | 2 | undefined;
  /** How much each class counts, [c]; 1 unless given. */
  readonly weight?: Tensor | undefined;
}

/**
 * For each row of scores [n, c] and its class, int32 [n], the sum over the other classes of `max(0, margin - score of the class + score
 * of the other)^p`, divided by c (Crammer and Singer 2001). Throws ShapeError or DTypeError if they do not fit, ValueError for an
 * unknown reduction, `p` or margin, and at evaluation IndexError for a class outside `0 ... c - 1`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { multiMargin } from "@cotangent/nn/loss";
 * multiMargin(tensor([[3, 2.5, 1]]), tensor([0], { dtype: "int32" })); // => Tensor(0.1667, float32)
 * ```
 */
export function multiMargin<R extends Reduction = "mean">(
  scores: Tensor,
  target: Tensor,
  options: LossOptions<R> & MultiMarginOptions = {},
): Tensor<LossShape<[number], R>> {
  const {
    margin = 1,
    p = 1,
    weight,
  } = optionsOf<LossOptions & MultiMarginOptions>("multiMargin", options, {
    reduction: true,
    margin: true,
    p: true,
    weight: true,
  });
  checkTensors("multiMargin", scores, target);
  const [n, c] = scores.shape;
  if (scores.rank !== 2 || !equal(target.shape, [n!]))
    throw new ShapeError(
      `multiMargin: takes scores [n, c] and classes [n], got ${format(scores.shape)} and ${format(target.shape)}; reshape them`,
    );
  checkClasses("multiMargin", target);
  checkWeight("multiMargin", weight, c!);
  checkNumber("multiMargin: margin", margin);
  if (p !== 1 && p !== 2) throw new ValueError(`multiMargin: p is 1 or 2, got ${String(p)}`);
  const column = unsqueeze(target, 1) as Tensor;
  const missing: Tensor = relu(
    add(sub(scores, gather(scores, 1, column, { caller: "multiMargin" })) as Tensor, margin) as Tensor,
  );
  const powers = p === 1 ? missing : square(missing);
  const weighed: Tensor = weight
    ? mul(powers, unsqueeze(gather(weight, 0, target, { caller: "multiMargin" }) as Tensor, 1) as Tensor)
    : powers;
  const own = eq(column, arange(0, c, 1, { dtype: "int32" }) as Tensor) as Tensor;
  const losses: Tensor = mean(where(own, 0, weighed) as Tensor, 1);
  return reduced("multiMargin", losses, options) as Tensor<LossShape<[number], R>>;
}

export interface FocalOptions {
  /** How much a yes counts, and a no the rest of 1; 0.25 unless given, null for both the same. */
  readonly alpha?: number | null | undefined;
  /** How much less counts what is known already; 2 unless given, 0 for `bceWithLogits`. */
  readonly gamma?: number | undefined;
}

/**
 * `bceWithLogits` times `(1 - q)^gamma`, where `q` is the probability that `sigmoid(x)` gives to the target, and times `alpha` for a
 * target of 1, `1 - alpha` for 0 (Lin et al. 2017, https://arxiv.org/abs/1708.02002). Throws ShapeError unless both shapes are the
 * same, ValueError for an unknown reduction, for `alpha` that is no share and for a negative `gamma`.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { focal } from "@cotangent/nn/loss";
 * focal(tensor([0]), tensor([1]), { alpha: null }); // => Tensor(0.1733, float32)
 * ```
 */
export const focal: LossWith<FocalOptions> = elementwise<FocalOptions>(
  "focal",
  (x, y, { alpha = 0.25, gamma = 2 }) => {
    if (alpha !== null) checkShare("focal: alpha", alpha);
    checkNumber("focal: gamma", gamma, 0);
    const entropy: Tensor = bceWithLogits(x, y, { reduction: "none" });
    // 1 - sigmoid(x) is sigmoid(-x), without a difference of near numbers.
    const missed: Tensor = add(
      mul(sigmoid(x), sub(1, y) as Tensor) as Tensor,
      mul(sigmoid(mul(x, -1) as Tensor), y) as Tensor,
    );
    const hard: Tensor =
      gamma === 0 ? entropy : mul(entropy, gamma === 2 ? square(missed) : pow(missed, gamma));
    if (alpha === null) return hard;
    return mul(hard, add(mul(y, 2 * alpha - 1) as Tensor, 1 - alpha) as Tensor);
  },
  { alpha: true, gamma: true },
);
