import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { floating } from "./cast.ts";
import { eq, gt } from "./comparison.ts";
import { matmul } from "./contraction.ts";
import { diagonal } from "./diagonal.ts";
import { eye } from "./leaf.ts";
import { reshape, transpose, unsqueeze } from "./movement.ts";
import { abs, div, sign, sqrt, sub, where } from "./pointwise.ts";
import { mean } from "./reduction.ts";
import { composed } from "./sample.ts";

/** How the rows of a table go together. */

type Corrected = {
  readonly correction?: number | undefined;
};

/**
 * The covariances [n, n] of the rows of `x` [n, observations], or the variance of a vector of observations: products of the
 * distances from the means, summed and divided by the count less `correction` (1 unless given). Where nothing is left to divide by
 * they are not finite. Integers and bool count as float32. Throws ShapeError for other shapes, ValueError unless the correction is
 * finite.
 *
 * @example
 * ```ts
 * import { cov, tensor } from "@cotangent/autograd";
 * cov(tensor([[0, 1, 2], [2, 1, 0]])).toArray(); // => [ [ 1, -1 ], [ -1, 1 ] ]
 * ```
 */
export const cov: Operation<[options?: Corrected]> = composed(
  "cov",
  (x: Tensor, options?: Corrected) => {
    const { correction = 1 } = optionsOf("cov", options, { correction: true });
    if (!Number.isFinite(correction))
      throw new ValueError(`cov: the correction is ${correction}; give a finite number, 1 or 0 as a rule`);
    const [n, count] = x.rank === 1 ? [1, x.size] : x.shape;
    if (n === undefined || count === undefined || x.rank > 2)
      throw new ShapeError(
        `cov: takes a vector or a matrix [n, observations], got shape ${formatShape(x.shape)}; reshape it`,
      );
    const rows = reshape(floating(x), [n, count]);
    const away = sub(rows, mean(rows, 1, { keepDims: true }));
    const out = div(matmul(away, transpose(away)), Math.max(0, count - correction));
    return reshape(out, x.rank === 1 ? [] : [n, n]);
  },
  (draw) => [draw.tensor(draw.shape(1, 2, 2)), { correction: draw.integer(0, 1) }],
);

/**
 * The correlations (Pearson's) [n, n] of the rows of `x` [n, observations], from -1 to 1, or that of a vector with itself: `cov` divided
 * by the deviations of both rows. NaN for a row without deviation. Integers and bool count as float32. Throws ShapeError for other
 * shapes.
 *
 * @example
 * ```ts
 * import { corrcoef, tensor } from "@cotangent/autograd";
 * corrcoef(tensor([[0, 1, 2], [4, 2, 0]])).toArray(); // => [ [ 1, -1 ], [ -1, 1 ] ]
 * ```
 */
export const corrcoef: Operation<[]> = composed(
  "corrcoef",
  (x: Tensor) => {
    if (x.rank !== 1 && x.rank !== 2)
      throw new ShapeError(
        `corrcoef: takes a vector or a matrix [n, observations], got shape ${formatShape(x.shape)}; reshape it`,
      );
    const found = cov(x);
    if (x.rank === 1) return div(found, found);
    const variances = diagonal(found);
    const deviations = sqrt(variances);
    const scaled = div(div(found, unsqueeze(deviations, 1)), deviations);
    // Rounded, a correlation may be a little beyond 1, and that of a row with itself beside it. NaN stays, in derivatives too.
    const whole = where(eq(eye(variances.size), 1), div(variances, variances), scaled);
    return where(gt(abs(whole), 1), sign(whole), whole);
  },
  (draw) => [draw.tensor([draw.integer(1, 3), draw.integer(3, 5)])],
);
