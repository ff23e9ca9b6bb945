import { GradientError } from "../errors.ts";
import { betaDensity, betainc as share } from "../functions/beta.ts";
import type { Derivative } from "../graph.ts";
import { pushed, singular } from "../graph.ts";
import type { Ternary } from "../signature.ts";
import { pointwise } from "./elementwise.ts";
import { add, div, log, mul, sub } from "./pointwise.ts";
import type { Draw } from "./sample.ts";
import { within } from "./sample.ts";
import { digamma } from "./special.ts";

/** The incomplete beta function, and what its derivative is made of. */

const density: Ternary = pointwise({
  name: "betaDensity",
  body: betaDensity,
  derivatives: [
    singular((out, a, b, x) => mul(out, add(sub(log(x!), digamma(a!)), digamma(add(a!, b!))))),
    singular((out, a, b, x) => mul(out, add(sub(log(sub(1, x!)), digamma(b!)), digamma(add(a!, b!))))),
    singular((out, a, b, x) => mul(out, sub(div(sub(a!, 1), x!), div(sub(b!, 1), sub(1, x!))))),
  ],
  samples: within([0.3, 4], [0.3, 4], [0.1, 0.9]),
  accepts: "float",
});

const refused = (name: string): Derivative =>
  pushed(() => {
    throw new GradientError(
      `betainc: there is no derivative by ${name}; take stopGradient(${name}), or a difference of two values`,
    );
  });

/**
 * The regularized incomplete beta function, element by element: the share of Beta's distribution with concentrations `a` and `b` that lies up to `x`,
 * `gamma(a + b) / (gamma(a) gamma(b))` times the integral of `t^(a - 1) (1 - t)^(b - 1)` from 0. NaN for negative concentrations and outside 0 to 1. Accurate
 * where it is small too: to twelve digits, less those of the root of a large `a + b` and, where `x` is above 0.9 and `b` below 0.01, those of
 * a difference from 1. Derivatives of every order by `x`; asking for one by `a` or `b` throws GradientError. (DLMF 8.17.22, and where `a` and `b`
 * are at least 20 an integral from `x` to the end of the tail.)
 *
 * @example
 * ```ts
 * import { betainc, tensor } from "@cotangent/autograd";
 * betainc(tensor([1, 2, 100]), tensor([1, 3, 50]), tensor([0.25, 0.5, 0.6])); // => Tensor([0.2500, 0.6875, 0.0444], float32)
 * ```
 */
export const betainc: Ternary = pointwise({
  name: "betainc",
  body: share,
  derivatives: [refused("a"), refused("b"), singular((_, a, b, x) => density(a!, b!, x!))],
  samples: (draw: Draw) => [
    draw.real({ low: 0.3, high: 4 }),
    draw.real({ low: 0.3, high: 4 }),
    draw.tensor(draw.shape(), { low: 0.1, high: 0.9 }),
  ],
  accepts: "float",
});
