import { refuseBool } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { checkShape, checkWhole, formatShape, normalizeAxes, normalizeAxis } from "../shape.ts";
import type { Axes, KeepDims, Operation, Reduction } from "../signature.ts";
import { floating } from "./cast.ts";
import { ne } from "./comparison.ts";
import { matmul } from "./contraction.ts";
import { repeat } from "./layout.ts";
import { counted, keeping, reshape, sum, transpose } from "./movement.ts";
import { div, sub, where } from "./pointwise.ts";
import { mean } from "./reduction.ts";
import { slice } from "./region.ts";
import { composed, ofRank, reduced } from "./sample.ts";

/** What is done to tables of data: differences of neighbours, copies side by side, sums of what is there, covariances. */

interface Times {
  readonly n?: number;
}

/**
 * The differences of neighbours along `axis`, the last unless given: entry `i + 1` less entry `i`, one entry fewer; `n` times over
 * (once unless given). Throws ShapeError for an axis that `x` does not have, ValueError unless `n` is a whole number of at least 0,
 * DTypeError for bool.
 *
 * @example
 * ```ts
 * import { diff, tensor } from "@cotangent/autograd";
 * diff(tensor([1, 4, 9, 16])).toArray(); // => 3,5,7
 * diff(tensor([1, 4, 9, 16]), 0, { n: 2 }).toArray(); // => 2,2
 * ```
 */
export const diff: Operation<[axis?: number, options?: Times]> = composed(
  "diff",
  (x: Tensor, axis = -1, options?: Times) => {
    const { n = 1 } = optionsOf("diff", options, { n: true });
    checkWhole("diff", "n", n, 0);
    refuseBool("diff", x.dtype);
    const along = { axis: normalizeAxis("diff", axis, x.shape) };
    let out: Tensor = x.node;
    for (let i = 0; i < n && out.shape[along.axis]! > 0; i++)
      out = sub(slice(out, 1, null, along), slice(out, 0, -1, along));
    return out;
  },
  ofRank(1, 3, (draw, shape) => [draw.axis(shape), { n: draw.integer(0, 2) }]),
);

/**
 * `x` laid out `repeats[i]` times along each axis, as by `repeat`; where there are fewer repeats than axes they are those of the last
 * axes. Throws ValueError unless they are whole numbers of at least 0.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "@cotangent/autograd";
 * tile(tensor([[1], [2]]), [3]).toArray(); // => [ [ 1, 1, 1 ], [ 2, 2, 2 ] ]
 * ```
 */
export const tile: Operation<[repeats: Shape]> = composed(
  "tile",
  (x: Tensor, repeats: Shape) => {
    checkShape("tile", repeats);
    return repeat(x, [...x.shape.slice(repeats.length).map(() => 1), ...repeats]);
  },
  ofRank(0, 2, (draw, shape) => [shape.slice(draw.integer(0, 1)).map(() => draw.integer(1, 3))]),
);

/**
 * The sum over one axis, several, or all, of what is not NaN; `keepDims` leaves size 1 there. bool counts as int32. The derivative at
 * NaN is 0.
 *
 * @example
 * ```ts
 * import { nansum, tensor } from "@cotangent/autograd";
 * nansum(tensor([1, NaN, 2])).item(); // => 3
 * ```
 */
export const nansum: Reduction = composed(
  "nansum",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => {
    const a = counted(x);
    const axes = normalizeAxes("nansum", axis, a.shape);
    return sum(where(ne(a, a), 0, a), axes, optionsOf("nansum", options, keeping));
  },
  reduced,
);

interface Corrected {
  readonly correction?: number;
}

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
