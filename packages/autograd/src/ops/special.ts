import { ValueError } from "../errors.ts";
import { erfc as complement } from "../functions/complement.ts";
import * as gamma from "../functions/gamma.ts";
import { erfinv as inverse } from "../functions/quantile.ts";
import { sincDerivative } from "../functions/sinc.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, partial, singular } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { SizesOf, Unary, UnaryWith } from "../signature.ts";
import { clamp } from "./bounds.ts";
import { lt } from "./comparison.ts";
import { atanh } from "./elementary.ts";
import { floated, pointwise } from "./elementwise.ts";
import { describe } from "./leaf.ts";
import { abs, exp, log, log1p, mul, neg, square, sub, where } from "./pointwise.ts";
import { composed, declare, kinked, within } from "./sample.ts";

/** Special functions: the kin of the error function and of the gamma function, and the cardinal sine. */

/** `1 - erf(x)`, element by element, accurate where it is small too. */
export const erfc: Unary = pointwise({
  name: "erfc",
  body: complement,
  derivatives: [partial((_, x) => mul(-2 / Math.sqrt(Math.PI), exp(neg(square(x!)))))],
  samples: within([-2, 2]),
  accepts: "float",
});

/** The inverse of `erf`, element by element: infinite at -1 and 1, NaN beyond. */
export const erfinv: Unary = pointwise({
  name: "erfinv",
  body: inverse,
  derivatives: [singular((y) => mul(Math.sqrt(Math.PI) / 2, exp(square(y))))],
  samples: within([-0.9, 0.9]),
  accepts: "float",
});

/** The ops for the derivatives of sinc, by their order. */
const sincs: Op[] = [];

function sincOp(order: number): Op {
  sincs[order] ??= {
    name: "sinc",
    kernel: { kind: "pointwise", body: sincDerivative(order) },
    derivatives: [partial((_, x) => apply(sincOp(order + 1), [x!], { order: order + 1 }))],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
  };
  return sincs[order];
}

/**
 * `sin(pi x) / (pi x)`, element by element, and 1 at 0: exactly 0 at all other whole numbers. Its derivatives of every order
 * are right at 0 and near it.
 *
 * @example
 * ```ts
 * import { sinc, tensor } from "@cotangent/autograd";
 * sinc(tensor([0, 1, 0.5])); // => Tensor([1.0000, 0.0000, 0.6366], float32)
 * ```
 */
export const sinc: Unary = declare(
  "sinc",
  (x: Tensor) => apply(sincOp(0), [floated("sinc", x)]),
  sincOp(0),
  within([-3, 3]),
);

type Clamped = {
  /** `x` is kept so far away from 0 and from 1; not at all unless given. */
  readonly eps?: number | undefined;
};

/**
 * The inverse of `sigmoid`, element by element: `log(x / (1 - x))`, infinite at 0 and 1 and NaN beyond, but for `eps`. Throws
 * ValueError unless `eps` lies from 0 to 0.5.
 *
 * @kink Where `eps` replaces `x` the derivative is 0.
 *
 * @example
 * ```ts
 * import { logit, sigmoid, tensor } from "@cotangent/autograd";
 * logit(sigmoid(tensor([-2, 0, 3]))).toString(); // => Tensor([-2, 0, 3], float32)
 * logit(tensor([0, 1]), { eps: 0.25 }).toString(); // => Tensor([-1.0986,  1.0986], float32)
 * ```
 */
export const logit: UnaryWith<[options?: Clamped]> = composed(
  "logit",
  ((x: Tensor, options?: Clamped) => {
    const { eps } = optionsOf("logit", options, { eps: true });
    if (eps !== undefined && !(eps >= 0 && eps <= 0.5))
      throw new ValueError(`logit: eps is ${eps}; it lies from 0 to 0.5`);
    const a = floated("logit", x);
    const inside = eps === undefined ? a : clamp(a, eps, 1 - eps);
    const middle = sub(mul(inside, 2), 1);
    // The logarithms lose all digits where they are nearly equal.
    return where(lt(abs(middle), 0.5), mul(atanh(middle), 2), sub(log(inside), log1p(neg(inside))));
  }) as UnaryWith<[options?: Clamped]>,
  (draw) => [draw.tensor(draw.shape(), { low: 0.05, high: 0.95 }), draw.coin() ? { eps: 0.01 } : {}],
  kinked,
);

/** The logarithm of `|gamma(x)|`, element by element: infinite at 0, at negative whole numbers and at both infinities. */
export const lgamma: Unary = pointwise({
  name: "lgamma",
  body: gamma.lgamma,
  derivatives: [singular((_, x) => digamma(x!))],
  samples: within([0.2, 4]),
  accepts: "float",
});

/** The derivative of `lgamma`, element by element: NaN at negative whole numbers, -inf at 0 and inf at -0. */
export const digamma: Unary = pointwise({
  name: "digamma",
  body: gamma.digamma,
  derivatives: [singular((_, x) => polygamma(1, x!))],
  samples: within([0.2, 4]),
  accepts: "float",
});

/** The ops for the derivatives of digamma, by their order. */
const polygammas: Op[] = [];

function polygammaOp(n: number): Op {
  polygammas[n] ??= {
    name: "polygamma",
    kernel: { kind: "pointwise", body: gamma.polygamma(n) },
    derivatives: [singular((_, x) => polygamma(n + 1, x!))],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
  };
  return polygammas[n];
}

/**
 * The n-th derivative of `digamma`, element by element; that itself if n is 0. At 0 and at negative whole numbers it is
 * infinite, positive for odd n and negative for even; at -inf it is NaN. Throws ValueError unless n is a whole number from 0 to 170 (the factorial of
 * 171 is beyond float64).
 *
 * @example
 * ```ts
 * import { polygamma, tensor } from "@cotangent/autograd";
 * polygamma(1, tensor([1, 2])); // => Tensor([1.6449, 0.6449], float32)
 * ```
 */
export const polygamma: <X extends Tensor>(n: number, x: X) => Tensor<SizesOf<X>> = composed(
  "polygamma",
  (n: number, x: Tensor) => {
    if (!Number.isInteger(n) || n < 0 || n > 170)
      throw new ValueError(`polygamma: n is ${describe(n)}; give a whole number from 0 to 170`);
    const a = floated("polygamma", x);
    return n === 0 ? digamma(a) : apply(polygammaOp(n), [a], { n });
  },
  (draw) => [draw.integer(0, 4), draw.tensor(draw.shape(), { low: 0.4, high: 4 })],
);
