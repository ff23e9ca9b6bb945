import {
  gammaDensity,
  gammainc as lower,
  gammaSlope as slopeBody,
  gammaincc as upper,
} from "../functions/incomplete.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, partial, singular } from "../graph.ts";
import { remembered } from "../memo.ts";
import type { Binary } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { add, div, exp, log, mul, neg, sub, where } from "./pointwise.ts";
import { within } from "./sample.ts";
import { digamma, polygamma } from "./special.ts";

/** The incomplete gamma functions, and what their derivatives are made of. */

/** The ops for derivatives of the slope by `a`, by their order. */
const slopes = new Map<number, Op>();

function slopeOp(order: number): Op {
  return remembered(slopes, order, () => ({
    name: "gammaSlope",
    kernel: { kind: "pointwise", body: slopeBody(order) },
    derivatives: [
      partial((_, a, logarithm) => slopeOf(order + 1, a!, logarithm!)),
      partial((out, a, logarithm) => {
        const slope = mul(out, sub(exp(logarithm!), a!));
        const rest = add(slope, polygamma(order, a!));
        return order === 0
          ? sub(rest, logarithm!)
          : sub(rest, mul(slopeOf(order - 1, a!, logarithm!), order));
      }),
    ],
    shape: ([a]) => a!.shape,
    dtype: () => "float64",
  }));
}

const slopeOf = (order: number, a: Tensor, logarithm: Tensor): Tensor =>
  apply(slopeOp(order), [a, logarithm], { order });

/**
 * How the logarithm of a draw from the standard Gamma distribution changes with its concentration, of float64 (M. Figurnov, S. Mohamed and A. Mnih,
 * Implicit Reparameterization Gradients, 2018, https://arxiv.org/abs/1805.08498).
 */
export const gammaSlope = (a: Tensor, logarithm: Tensor): Tensor => slopeOf(0, a, logarithm);

const density: Binary = pointwise({
  name: "gammaDensity",
  body: gammaDensity,
  derivatives: [
    singular((out, a, x) => mul(out, sub(log(x!), digamma(a!)))),
    singular((out, a, x) => mul(out, sub(div(sub(a!, 1), x!), 1))),
  ],
  samples: within([0.3, 4], [0.2, 5]),
  accepts: "float",
});

/** The derivative of P by `a`, of float64. */
function byConcentration(a: Tensor, x: Tensor): Tensor {
  const [wideA, wideX] = [cast(a, "float64"), cast(x, "float64")];
  const isZero = eq(wideX, 0);
  const inside = where(isZero, 1, wideX);
  const slope = neg(mul(gammaSlope(wideA, log(inside)), mul(inside, density(wideA, inside))));
  return cast(where(isZero, 0, slope), a.dtype);
}

/**
 * The regularized lower incomplete gamma function, element by element: the share of the standard Gamma distribution with concentration `a` that lies up to
 * `x`, `1 / gamma(a)` times the integral of `t^(a - 1) e^-t` from 0. NaN for negative operands. Accurate where it is small too; derivatives of every order by
 * both. (For `a` from 20 on and `x` near it: N. M. Temme, The Asymptotic Expansion of the Incomplete Gamma Functions, SIAM J. Math. Anal. 10, 1979.)
 *
 * @example
 * ```ts
 * import { gammainc, tensor } from "@cotangent/autograd";
 * gammainc(tensor([1, 2, 100]), tensor([1, 1, 100])); // => Tensor([0.6321, 0.2642, 0.5133], float32)
 * ```
 */
export const gammainc: Binary = pointwise({
  name: "gammainc",
  body: lower,
  derivatives: [singular((_, a, x) => byConcentration(a!, x!)), singular((_, a, x) => density(a!, x!))],
  samples: within([0.3, 4], [0.2, 5]),
  accepts: "float",
});

/**
 * The regularized upper incomplete gamma function, element by element: `1 - gammainc(a, x)`, accurate where it is small too. Of Poisson's
 * distribution with rate `x` it is the probability of at most `a - 1` events, for whole `a`.
 *
 * @example
 * ```ts
 * import { gammaincc, tensor } from "@cotangent/autograd";
 * gammaincc(tensor([1, 2]), tensor([1, 100])).toArray(); // => 0.3678794503211975,3.7568811828548346e-42
 * ```
 */
export const gammaincc: Binary = pointwise({
  name: "gammaincc",
  body: upper,
  derivatives: [
    singular((_, a, x) => neg(byConcentration(a!, x!))),
    singular((_, a, x) => neg(density(a!, x!))),
  ],
  samples: within([0.3, 4], [0.2, 5]),
  accepts: "float",
});
