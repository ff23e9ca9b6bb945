import type { DType } from "./dtype.ts";
import { ValueError } from "./errors.ts";
import type { DrawOptions } from "./generator.ts";
import { draw } from "./generator.ts";
import { elementsOf, type Tensor } from "./graph.ts";
import { countersOfGamma, countersOfPoisson, logGammaDraw, poissonDraw } from "./ops/arrivals.ts";
import { cast } from "./ops/cast.ts";
import type { Stream } from "./ops/draws.ts";
import { floated } from "./ops/elementwise.ts";
import { exp, maximum } from "./ops/pointwise.ts";
import { optionsOf } from "./options.ts";
import type { SizesOf } from "./signature.ts";

/** Waiting times and counts of arrivals: draws that have a parameter for each element. */

type Source = Pick<DrawOptions, "generator">;

/** Draws `from` one float64 parameter for each element, which is checked as far as it is known; in its own dtype. */
function drawnBy(
  name: string,
  what: string,
  x: Tensor,
  options: Source | undefined,
  counters: number,
  from: (stream: Stream, parameter: Tensor) => Tensor,
): { readonly wide: Tensor; readonly dtype: DType } {
  const source = optionsOf(name, options, { generator: true });
  const parameter = floated(name, x);
  const negative = elementsOf(parameter)?.find((element: number) => element < 0);
  if (negative !== undefined)
    throw new ValueError(`${name}: the ${what} is ${negative}; it must be at least 0`);
  const wide = draw(name, parameter.shape, { ...source, dtype: "float64" }, counters, (stream) =>
    from(stream, cast(parameter, "float64")),
  );
  return { wide, dtype: parameter.dtype };
}

function logarithms(name: string, concentration: Tensor, options: Source | undefined) {
  return drawnBy(name, "concentration", concentration, options, countersOfGamma, logGammaDraw);
}

/**
 * A draw from the standard Gamma distribution, with density `x^(a - 1) e^-x / gamma(a)`, for each element `a` of `concentration`: of its shape, and
 * of its dtype, float32 for int32. It is at least the smallest normal number, as in PyTorch; for concentrations far below 1
 * `logStandardGamma` has what is smaller. Draws times `scale` have that scale. (G. Marsaglia and W. W. Tsang, A Simple Method for Generating Gamma
 * Variables, ACM Trans. Math. Softw. 26, 2000.)
 *
 * Its derivatives by the concentration, of every order, are implicit: the draw moves so that its share of the distribution stays (M. Figurnov, S.
 * Mohamed and A. Mnih, Implicit Reparameterization Gradients, 2018, https://arxiv.org/abs/1805.08498).
 *
 * Throws ValueError for concentrations that are known and negative, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { ones, standardGamma } from "@cotangent/autograd";
 * standardGamma(ones([2, 3])).gt(0).all().item(); // => 1
 * ```
 */
export function standardGamma<X extends Tensor>(concentration: X, options?: Source): Tensor<SizesOf<X>> {
  const { wide, dtype } = logarithms("standardGamma", concentration, options);
  return maximum(cast(exp(wide), dtype), dtype === "float64" ? 2 ** -1022 : 2 ** -126) as Tensor<SizesOf<X>>;
}

/**
 * The logarithms of such draws, which are finite where the draws themselves are too small for any dtype: at a concentration of 0.001 half
 * of them are below -690. `softmax` of them is a draw from Dirichlet's distribution. Throws what `standardGamma` throws.
 *
 * @example
 * ```ts
 * import { full, isFinite, logStandardGamma } from "@cotangent/autograd";
 * isFinite(logStandardGamma(full([100], 1e-3))).all().item(); // => 1
 * ```
 */
export function logStandardGamma<X extends Tensor>(concentration: X, options?: Source): Tensor<SizesOf<X>> {
  const { wide, dtype } = logarithms("logStandardGamma", concentration, options);
  return cast(wide, dtype) as Tensor<SizesOf<X>>;
}

/**
 * A draw of Poisson's distribution, of the number of events where `rate` are expected, for each element of `rate`: of its shape, and of its dtype, float32
 * for int32. It has no derivative. (From a rate of 10 on: W. Hörmann, The Transformed Rejection Method for Generating Poisson Random
 * Variables, Insurance: Mathematics and Economics 12, 1993.)
 *
 * Throws ValueError for rates that are known and negative, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { poisson, zeros } from "@cotangent/autograd";
 * poisson(zeros([3])).toArray(); // => 0,0,0
 * ```
 */
export function poisson<X extends Tensor>(rate: X, options?: Source): Tensor<SizesOf<X>> {
  const { wide, dtype } = drawnBy("poisson", "rate", rate, options, countersOfPoisson, poissonDraw);
  return cast(wide, dtype) as Tensor<SizesOf<X>>;
}
