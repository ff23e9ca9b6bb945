import { ValueError } from "../../errors.ts";
import type { Tensor } from "../../graph.ts";
import type { Known } from "../../options.ts";
import { optionsOf } from "../../options.ts";
import type { Operation } from "../../signature.ts";
import { gt } from "../comparison.ts";
import { checkChoice } from "../elementwise.ts";
import { reshape, sum } from "../movement.ts";
import { abs, maximum, mul } from "../pointwise.ts";
import { amax, amin } from "../reduction.ts";
import { composed, kinked } from "../sample.ts";
import { countNonzero, norm } from "../statistics.ts";
import { matricesOfFloats, squareOfFloats } from "./factorization.ts";
import { apart, eigvalsh, svdvals } from "./spectrum.ts";

/** How large matrices are: their norms and ranks. */

type MatrixNorm = "fro" | "nuc" | number;

type NormOptions = {
  /** Which norm; "fro" unless given. */
  readonly p?: MatrixNorm | undefined;
  /** Leaves two axes of size 1. */
  readonly keepDims?: boolean | undefined;
};
const known: Known<NormOptions> = { p: true, keepDims: "boolean" };

/** The most extreme along the last axis: the largest for positive `p`. */
function extreme(sizes: Tensor, p: number): Tensor {
  checkChoice("matrixNorm", sizes, [sizes.rank - 1]);
  return (p > 0 ? amax : amin)(sizes, -1);
}

function normOf(a: Tensor, p: MatrixNorm): Tensor {
  switch (p) {
    case "fro":
      return norm(a, [-2, -1]);
    case "nuc":
      return sum(svdvals(a), -1);
    case 2:
    case -2:
      return extreme(svdvals(a), p);
    case 1:
    case -1:
      return extreme(sum(abs(a), -2), p);
    case Infinity:
    case -Infinity:
      return extreme(sum(abs(a), -1), p);
    default:
      throw new ValueError(
        `matrixNorm: p is ${String(p)}; there are "fro", "nuc", 1, -1, 2, -2, Infinity and -Infinity`,
      );
  }
}

/**
 * The norms [...] of matrices `a` [..., m, n], by `p`: the root of the sum of squares ("fro", unless given), the sum of the singular
 * values ("nuc"), the largest of them (2), the largest sum of magnitudes in a column (1) or in a row (Infinity), and with a negative `p` the
 * smallest instead of the largest. Throws ShapeError unless `a` has two axes, ValueError for another `p` and where there is nothing to
 * choose from.
 *
 * @kink As for `norm`, `svdvals` and `amax`: at 0 the derivative of "fro" is 0, and what ties for an extreme shares the gradient.
 *
 * @example
 * ```ts
 * import { matrixNorm, tensor } from "@cotangent/autograd";
 * const a = tensor([[3, 0], [0, -4]]);
 * matrixNorm(a).item(); // => 5
 * matrixNorm(a, { p: "nuc" }).item(); // => 7
 * matrixNorm(a, { p: 1 }).item(); // => 4
 * ```
 */
export const matrixNorm: Operation<[options?: NormOptions]> = composed(
  "matrixNorm",
  (a: Tensor, options?: NormOptions) => {
    const { p = "fro", keepDims = false } = optionsOf("matrixNorm", options, known);
    const x = matricesOfFloats("matrixNorm", a);
    const out = normOf(x, p);
    return keepDims ? reshape(out, [...out.shape, 1, 1]) : out;
  },
  (draw) => {
    const p = (["fro", "nuc", 1, -1, 2, -2, Infinity, -Infinity] as const)[draw.integer(0, 7)]!;
    const a = apart(draw, draw.integer(1, 3), draw.integer(1, 3));
    return [a, { p, keepDims: draw.coin() }];
  },
  kinked,
);

type RankOptions = {
  /** Singular values up to this count as 0; 0 unless given. */
  readonly atol?: number | undefined;
  /** So do those up to this times the largest: the larger side times the precision of the dtype, or 0 beside a positive `atol`. */
  readonly rtol?: number | undefined;
  /** The matrices are symmetric, and magnitudes of eigenvalues serve, which takes less time. */
  readonly hermitian?: boolean | undefined;
};

/**
 * The ranks [...] of matrices `a` [..., m, n] as int32: how many singular values are above `atol` and above `rtol` times the largest.
 * Throws ShapeError unless `a` has two axes (of one size if `hermitian`), ValueError for tolerances that are negative or NaN.
 *
 * @kink A jump: the derivative is 0.
 *
 * @example
 * ```ts
 * import { matrixRank, tensor } from "@cotangent/autograd";
 * matrixRank(tensor([[1, 2], [2, 4]])).item(); // => 1
 * ```
 */
export const matrixRank: Operation<[options?: RankOptions]> = composed(
  "matrixRank",
  (a: Tensor, options?: RankOptions) => {
    const every = { atol: true, rtol: true, hermitian: "boolean" } as const;
    const { atol = 0, rtol, hermitian = false } = optionsOf("matrixRank", options, every);
    const x = (hermitian ? squareOfFloats : matricesOfFloats)("matrixRank", a);
    const sides = x.shape.slice(-2);
    const share = rtol ?? (atol > 0 ? 0 : Math.max(...sides) * (x.dtype === "float32" ? 2 ** -23 : 2 ** -52));
    if (!(atol >= 0 && share >= 0))
      throw new ValueError(`matrixRank: atol is ${atol} and rtol ${share}; give numbers of at least 0`);
    const sizes = hermitian ? abs(eigvalsh(x)) : svdvals(x);
    if (sides.includes(0)) return countNonzero(sizes, -1);
    return countNonzero(gt(sizes, maximum(mul(amax(sizes, -1, { keepDims: true }), share), atol)), -1);
  },
  (draw) => {
    const n = draw.integer(1, 3);
    const hermitian = draw.coin();
    return [apart(draw, n, hermitian ? n : draw.integer(1, 3)), { hermitian, rtol: 0.01 }];
  },
  kinked,
);
