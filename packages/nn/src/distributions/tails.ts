import type { DrawOptions, Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import {
  abs,
  add,
  atan2,
  cast,
  exp,
  exponential,
  hideFrames,
  hypot,
  log,
  log1p,
  lt,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  sub,
  tan,
  uniform,
  where,
} from "@cotangent/autograd/functional";
import { logFourPi, logPi } from "../constants.ts";
import { refuse } from "./distribution.ts";
import { LocationScale, type Standard } from "./location.ts";

hideFrames(import.meta.url);

/** Families of location and scale with longer tails than the normal distribution's. */

/** What `f` makes of an even draw from above 0 to below 1, which is of float64 whatever the dtype: its tails have more than 24 bits. */
function inverted(
  f: (u: Tensor) => Tensor,
  shape: Shape,
  { dtype = "float32", ...source }: DrawOptions,
): Tensor {
  const even: Tensor = uniform(shape, { ...source, dtype: "float64" });
  return cast(f(maximum(even, 2 ** -54)), dtype);
}

const standardLaplace: Standard = {
  name: "Laplace",
  mean: 0,
  stddev: Math.SQRT2,
  entropy: 1 + Math.LN2,
  logDensity: (z) => sub(neg(abs(z)), Math.LN2),
  // Two halves, each from its own tail, which keeps its digits; their derivatives agree in the middle.
  cdf: (z) => {
    const below = lt(z, 0);
    const tail = mul(exp(where(below, z, neg(z))), 0.5);
    return where(below, tail, sub(1, tail));
  },
  icdf: (p) => where(lt(p, 0.5), log(mul(p, 2)), neg(log1p(sub(1, mul(p, 2))))),
  // The difference of two exponential draws, neither of which is infinite.
  draw: (shape, source) => sub(exponential(shape, source), exponential(shape, source)),
};

/**
 * Laplace's distribution, of two exponentials back to back: density `exp(-|x - loc| / scale) / (2 scale)`. Throws ValueError for a scale
 * that is known and not above 0, ShapeError if the two do not broadcast.
 *
 * @kink The derivative of `logProb` by `x` and `loc` where they are equal is 0.
 *
 * @example
 * ```ts
 * import { Laplace } from "@cotangent/nn/distributions";
 * new Laplace(0, 0.5).logProb(1).item(); // => -2
 * ```
 */
export class Laplace extends LocationScale {
  constructor(loc: Operand, scale: Operand) {
    super(standardLaplace, loc, scale);
  }
}

/** Euler's constant. */
export const euler = 0.5772156649015329;

const standardGumbel: Standard = {
  name: "Gumbel",
  mean: euler,
  stddev: Math.PI / Math.sqrt(6),
  entropy: 1 + euler,
  logDensity: (z) => neg(add(z, exp(neg(z)))),
  // Far below it is 0 before the inner exponential is infinite, and the derivative that times 0.
  cdf: (z) => exp(neg(exp(minimum(neg(z), 50)))),
  icdf: (p) => neg(log(neg(log(p)))),
  draw: (shape, source) => inverted((u) => neg(log(neg(log(u)))), shape, source),
};

/**
 * Gumbel's distribution, of the largest of many: `cdf` is `exp(-exp(-(x - loc) / scale))`. Throws ValueError for a scale that is known
 * and not above 0, ShapeError if the two do not broadcast.
 *
 * @example
 * ```ts
 * import { Gumbel } from "@cotangent/nn/distributions";
 * const p = new Gumbel(1, 2);
 * p.mean; // => Tensor(2.1544, float32)
 * p.logProb(1); // => Tensor(-1.6931, float32)
 * ```
 */
export class Gumbel extends LocationScale {
  constructor(loc: Operand, scale: Operand) {
    super(standardGumbel, loc, scale);
  }
}

const standardCauchy: Standard = {
  name: "Cauchy",
  mean: Number.NaN,
  stddev: Number.NaN,
  entropy: logFourPi,
  // log(1 + z^2), but the square would be infinite long before the result is large.
  logDensity: (z) => neg(add(mul(log(hypot(z, 1)), 2), logPi)),
  cdf: (z) => mul(atan2(1, neg(z)), 1 / Math.PI),
  icdf: (p) => {
    // Near the ends the tangent of the distance from there, since pi / 2 is rounded.
    const isLow = lt(p, 0.5);
    const rest = where(isLow, p, sub(1, p));
    const isTail = lt(rest, 0.125);
    const far = reciprocal(tan(mul(where(isTail, rest, 0.125), Math.PI)));
    const near = tan(mul(sub(where(isTail, 0.5, p), 0.5), Math.PI));
    return where(isTail, where(isLow, neg(far), far), near);
  },
  draw: (shape, source) => inverted((u) => tan(mul(sub(u, 0.5), Math.PI)), shape, source),
};

/**
 * Cauchy's distribution: density `1 / (pi scale (1 + z^2))` with `z = (x - loc) / scale`. Its tails are so long that it has no mean and no
 * variance: to ask for them throws ValueError. Throws it also for a scale that is known and not above 0, ShapeError if the two do not
 * broadcast.
 *
 * @example
 * ```ts
 * import { Cauchy } from "@cotangent/nn/distributions";
 * new Cauchy(0, 1).cdf(1).item(); // => 0.75
 * ```
 */
export class Cauchy extends LocationScale {
  constructor(loc: Operand, scale: Operand) {
    super(standardCauchy, loc, scale);
  }

  override get mean(): Tensor {
    return refuse(this, "mean", "its integral diverges; loc is its median and mode");
  }

  override get variance(): Tensor {
    return refuse(
      this,
      "variance",
      "its integral diverges; scale is half the distance between the quartiles",
    );
  }

  override get stddev(): Tensor {
    return this.variance;
  }
}
