import type { Tensor } from "@cotangent/autograd/functional";
import {
  add,
  digamma,
  div,
  exp,
  gt,
  hideFrames,
  lgamma,
  log,
  log1p,
  logicalOr,
  lt,
  mul,
  reciprocal,
  stack,
  sub,
  sum,
  where,
  xlogy,
} from "@cotangent/autograd/functional";
import { precisely } from "./density.ts";
import type { Distribution } from "./distribution.ts";
import type { Uniform } from "./interval.ts";
import type { Beta, Dirichlet } from "./simplex.ts";
import type { Gumbel } from "./tails.ts";
import type { GammaFamily } from "./waiting.ts";

hideFrames(import.meta.url);

/** Divergences that have gamma functions, and the means that they need. */

export function betweenGammas(p: GammaFamily, q: GammaFamily): Tensor {
  return precisely(
    (a, b, s, t) => {
      const shapes = add(sub(lgamma(b), lgamma(a)), mul(sub(a, b), digamma(a)));
      return add(shapes, add(mul(b, log(div(s, t))), mul(sub(div(t, s), 1), a)));
    },
    p.concentration,
    q.concentration,
    p.rate,
    q.rate,
  );
}

/** Of shares with the concentrations along the last axis of `p` and `q`. */
function betweenShares(p: Tensor, q: Tensor): Tensor {
  return precisely(
    (a, b) => {
      const [s, t] = [sum(a, -1, { keepDims: true }), sum(b, -1, { keepDims: true })];
      const each = add(sub(lgamma(b), lgamma(a)), mul(sub(a, b), sub(digamma(a), digamma(s))));
      return add(sum(each, -1), sum(sub(lgamma(s), lgamma(t)), -1));
    },
    p,
    q,
  );
}

const both = ({ concentration1, concentration0 }: Beta): Tensor =>
  stack([concentration1, concentration0], -1);

export const betweenBetas = (p: Beta, q: Beta): Tensor => betweenShares(both(p), both(q));

export const betweenDirichlets = (p: Dirichlet, q: Dirichlet): Tensor =>
  betweenShares(p.concentration, q.concentration);

/** To Gamma's distribution, by the mean of `log x`. */
export function toGamma(
  p: Distribution,
  { concentration, rate }: GammaFamily,
  meanLogarithm: Tensor,
): Tensor {
  const constant = sub(lgamma(concentration), mul(concentration, log(rate)));
  const means = sub(mul(rate, p.mean), mul(sub(concentration, 1), meanLogarithm));
  return sub(add(constant, means), p.entropy());
}

/** The mean of `log x` over Beta's distribution. */
export const betaLogarithm = ({ concentration1, concentration0 }: Beta): Tensor =>
  sub(digamma(concentration1), digamma(add(concentration1, concentration0)));

/** The mean of `log x` over an even distribution that begins at 0 or above. */
const evenLogarithm = (low: Tensor, high: Tensor): Tensor =>
  sub(div(sub(xlogy(high, high), xlogy(low, low)), sub(high, low)), 1);

/** Infinite where some of the even distribution lies below 0. */
export function evenToGamma(p: Uniform, q: GammaFamily): Tensor {
  const below = lt(p.low, 0);
  const [low, high] = [where(below, 1, p.low), where(below, 2, p.high)];
  return where(below, Infinity, toGamma(p, q, evenLogarithm(low, high)));
}

/** Infinite where some of the even distribution does not lie between 0 and 1. */
export function evenToBeta(p: Uniform, q: Beta): Tensor {
  const outside = logicalOr(lt(p.low, 0), gt(p.high, 1));
  const [low, high] = [where(outside, 0, p.low), where(outside, 1, p.high)];
  const [a, b] = [q.concentration1, q.concentration0];
  const constant = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)));
  const first = mul(sub(a, 1), evenLogarithm(low, high));
  const second = mul(sub(b, 1), evenLogarithm(sub(1, high), sub(1, low)));
  return where(outside, Infinity, sub(sub(constant, add(first, second)), p.entropy()));
}

/** The mean of `exp(-(x - loc) / scale)` over Gamma's distribution. */
export const gammaMoment = (p: GammaFamily, { loc, scale }: Gumbel): Tensor =>
  exp(sub(div(loc, scale), mul(p.concentration, log1p(reciprocal(mul(p.rate, scale))))));
