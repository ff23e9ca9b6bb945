import type { Shape, Tensor } from "@cotangent/autograd/functional";
import {
  abs,
  add,
  div,
  eq,
  erf,
  exp,
  full,
  gt,
  hideFrames,
  hypot,
  lgamma,
  log,
  logicalAnd,
  logicalOr,
  logSigmoid,
  lt,
  mul,
  neg,
  onesLike,
  promote,
  ShapeError,
  square,
  sub,
  sum,
  triangularSolve,
  ValueError,
  where,
  zerosLike,
} from "@cotangent/autograd/functional";
import { logFour, logTwoPi } from "../constants.ts";
import {
  betaLogarithm,
  betweenBetas,
  betweenDirichlets,
  betweenGammas,
  evenToBeta,
  evenToGamma,
  gammaMoment,
  toGamma,
} from "./between.ts";
import { Categorical } from "./categorical.ts";
import { Poisson } from "./counts.ts";
import { precisely } from "./density.ts";
import type { Distribution } from "./distribution.ts";
import { checkDistribution, Independent, summed } from "./independent.ts";
import { Exponential, Uniform } from "./interval.ts";
import { logRoot, MultivariateNormal, solved } from "./multivariate.ts";
import { LogNormal, Normal } from "./normal.ts";
import { commonShape } from "./parameters.ts";
import { Beta, Dirichlet } from "./simplex.ts";
import { Cauchy, euler, Gumbel, Laplace } from "./tails.ts";
import { Bernoulli, Geometric } from "./trials.ts";
import { GammaFamily } from "./waiting.ts";

hideFrames(import.meta.url);

/** A class of distributions. */
type Family<D extends Distribution> = abstract new (...given: never) => D;
type Rule = readonly [
  p: Family<Distribution>,
  q: Family<Distribution>,
  divergence: (p: Distribution, q: Distribution) => Tensor,
];

/** A rule for two families. */
function rule<P extends Distribution, Q extends Distribution>(
  first: Family<P>,
  second: Family<Q>,
  divergence: (p: P, q: Q) => Tensor,
): Rule {
  return [first, second, (p, q) => divergence(p as P, q as Q)];
}

/** From any distribution whose mean, deviation and entropy are known to a normal one. */
function toNormal(p: Distribution, { loc, scale }: Normal): Tensor {
  const squares = add(square(div(sub(p.mean, loc), scale)), square(div(p.stddev, scale)));
  return sub(add(mul(add(squares, logTwoPi), 0.5), log(scale)), p.entropy());
}

/** To Gumbel's distribution, by the mean of `exp(-(x - loc) / scale)`. */
function toGumbel(p: Distribution, { loc, scale }: Gumbel, moment: Tensor): Tensor {
  return sub(add(add(div(sub(p.mean, loc), scale), moment), log(scale)), p.entropy());
}

/** To an exponential distribution, from one that has no probability below 0. */
const toExponential = (p: Distribution, { rate }: Exponential): Tensor =>
  sub(sub(mul(rate, p.mean), log(rate)), p.entropy());

/** By the ratio of the rates, of which no logarithm is large where they are alike. */
function betweenExponentials(p: Exponential, q: Exponential): Tensor {
  const ratio = div(q.rate, p.rate);
  return sub(sub(ratio, 1), log(ratio));
}

/** Of distributions where the second has no probability for a part of the first. */
function infinite(p: Distribution, q: Distribution): Tensor {
  return full(commonBatch(p, q), Infinity, { dtype: promote(p.dtype, q.dtype) });
}

function betweenNormals(p: Normal, q: Normal): Tensor {
  const ratio = div(p.scale, q.scale);
  const distance = div(sub(p.loc, q.loc), q.scale);
  return sub(mul(sub(add(square(ratio), square(distance)), 1), 0.5), log(ratio));
}

function betweenVectors(p: MultivariateNormal, q: MultivariateNormal): Tensor {
  const spread = sum(square(triangularSolve(q.scaleTril, p.scaleTril)), [-2, -1]);
  const distance = sum(square(solved(q.scaleTril, sub(p.loc, q.loc))), -1);
  const halves = mul(sub(add(spread, distance), p.eventShape[0]!), 0.5);
  return add(halves, sub(logRoot(q.scaleTril), logRoot(p.scaleTril)));
}

function normalToLaplace(p: Normal, q: Laplace): Tensor {
  const distance = sub(p.loc, q.loc);
  const z = div(distance, p.scale);
  const away = mul(mul(p.scale, exp(mul(square(z), -0.5))), Math.sqrt(2 / Math.PI));
  const mean = add(away, mul(distance, erf(mul(z, Math.SQRT1_2))));
  return sub(add(div(mean, q.scale), add(log(q.scale), Math.LN2)), p.entropy());
}

function betweenLaplaces(p: Laplace, q: Laplace): Tensor {
  const distance = abs(sub(p.loc, q.loc));
  const ratio = div(p.scale, q.scale);
  const mean = add(div(distance, q.scale), mul(ratio, exp(neg(div(distance, p.scale)))));
  return sub(sub(mean, 1), log(ratio));
}

/** F. Chyzak and F. Nielsen 2019, https://arxiv.org/abs/1905.10965. */
function betweenCauchys(p: Cauchy, q: Cauchy): Tensor {
  const distance = hypot(add(p.scale, q.scale), sub(p.loc, q.loc));
  return sub(mul(log(distance), 2), add(log(mul(p.scale, q.scale)), logFour));
}

/** The mean of `exp(-(x - loc) / scale)` over an even distribution. */
function evenMoment({ low, high }: Uniform, { loc, scale }: Gumbel): Tensor {
  const ends = sub(exp(div(sub(loc, low), scale)), exp(div(sub(loc, high), scale)));
  return mul(div(scale, sub(high, low)), ends);
}

/**
 * The terms of outcomes with probabilities `p` and `q` and their logarithms: infinite where only `p` is possible, 0 where it is not. A
 * logarithm below -60 is that of logits, of which the probability may be 0 after rounding: given ones count as larger in logarithms.
 */
function terms(p: Tensor, q: Tensor, logP: Tensor, logQ: Tensor): Tensor {
  const none = eq(p, 0);
  const impossible = logicalAnd(eq(q, 0), logicalOr(gt(logQ, -60), eq(logQ, -Infinity)));
  const apart = logicalOr(none, impossible);
  // The logarithms may be infinite where the product is not taken.
  const difference = sub(where(apart, 0, logP), where(apart, 0, logQ));
  return where(none, 0, where(apart, Infinity, mul(p, difference)));
}

function betweenTrials(p: Bernoulli | Geometric, q: Bernoulli | Geometric): Tensor {
  const [a, b] = [p.probabilities, q.probabilities];
  const success = terms(a, b, logSigmoid(p.logits), logSigmoid(q.logits));
  const [c, d] = [neg(p.logits), neg(q.logits)];
  return add(success, terms(p.failures, q.failures, logSigmoid(c), logSigmoid(d)));
}

function betweenClasses(p: Categorical, q: Categorical): Tensor {
  if (p.classes !== q.classes)
    throw new ShapeError(
      `klDivergence: Categorical of ${p.classes} classes and of ${q.classes}; they have the same classes`,
    );
  return sum(terms(p.probabilities, q.probabilities, p.logits, q.logits), -1);
}

function betweenCounts(p: Poisson, q: Poisson): Tensor {
  return precisely((a, b) => add(terms(a, b, log(a), log(b)), sub(b, a)), p.rate, q.rate);
}

/** The logarithm of the probability of a count `x` is `x log rate - rate` for 0 and 1. */
function trialToCount(p: Bernoulli, q: Poisson): Tensor {
  const divergence = (logits: Tensor, a: Tensor, b: Tensor, rate: Tensor): Tensor => {
    const success = terms(a, rate, logSigmoid(logits), log(rate));
    const failure = terms(b, onesLike(a), logSigmoid(neg(logits)), zerosLike(a));
    return add(add(success, failure), rate);
  };
  return precisely(divergence, p.logits, p.probabilities, p.failures, q.rate);
}

function betweenIndependents(p: Independent, q: Independent): Tensor {
  if (p.axes !== q.axes)
    throw new ShapeError(
      `klDivergence: Independent with ${p.axes} axes and with ${q.axes}; give both the same`,
    );
  return summed(klDivergence(p.base, q.base), p.axes);
}

const rules: readonly Rule[] = [
  rule(Normal, Normal, betweenNormals),
  rule(LogNormal, LogNormal, (p, q) => betweenNormals(p.base, q.base)),
  rule(MultivariateNormal, MultivariateNormal, betweenVectors),
  rule(Independent, Independent, betweenIndependents),
  rule(Categorical, Categorical, betweenClasses),
  rule(Bernoulli, Bernoulli, betweenTrials),
  // As many trials as it takes, each with this divergence.
  rule(Geometric, Geometric, (p, q) => div(betweenTrials(p, q), p.probabilities)),
  rule(Laplace, Laplace, betweenLaplaces),
  rule(Cauchy, Cauchy, betweenCauchys),
  rule(GammaFamily, GammaFamily, betweenGammas),
  rule(Beta, Beta, betweenBetas),
  rule(Dirichlet, Dirichlet, betweenDirichlets),
  rule(Poisson, Poisson, betweenCounts),
  rule(Normal, Laplace, normalToLaplace),

  rule(Uniform, Normal, toNormal),
  rule(Exponential, Normal, toNormal),
  rule(Gumbel, Normal, toNormal),
  rule(Laplace, Normal, toNormal),
  rule(GammaFamily, Normal, toNormal),
  rule(Beta, Normal, toNormal),

  rule(Gumbel, Gumbel, (p, q) =>
    toGumbel(p, q, exp(add(div(sub(q.loc, p.loc), q.scale), lgamma(add(div(p.scale, q.scale), 1))))),
  ),
  rule(Normal, Gumbel, (p, q) =>
    toGumbel(p, q, exp(add(div(sub(q.loc, p.loc), q.scale), mul(square(div(p.scale, q.scale)), 0.5)))),
  ),
  rule(Exponential, Gumbel, (p, q) => {
    const rate = mul(p.rate, q.scale);
    return toGumbel(p, q, mul(exp(div(q.loc, q.scale)), div(rate, add(rate, 1))));
  }),
  rule(Uniform, Gumbel, (p, q) => toGumbel(p, q, evenMoment(p, q))),

  rule(GammaFamily, Gumbel, (p, q) => toGumbel(p, q, gammaMoment(p, q))),

  rule(Exponential, Exponential, betweenExponentials),
  rule(GammaFamily, Exponential, toExponential),
  rule(Beta, Exponential, toExponential),
  rule(Uniform, Exponential, (p, q) => where(lt(p.low, 0), Infinity, toExponential(p, q))),
  rule(Normal, Exponential, infinite),
  rule(Gumbel, Exponential, infinite),
  rule(Laplace, Exponential, infinite),

  rule(Uniform, Uniform, (p, q) => {
    const beyond = logicalOr(lt(p.low, q.low), gt(p.high, q.high));
    return where(beyond, Infinity, sub(q.entropy(), p.entropy()));
  }),
  rule(Beta, Uniform, (p, q) => {
    const beyond = logicalOr(gt(q.low, 0), lt(q.high, 1));
    return where(beyond, Infinity, sub(q.entropy(), p.entropy()));
  }),
  rule(GammaFamily, Uniform, infinite),
  rule(Normal, Uniform, infinite),
  rule(Exponential, Uniform, infinite),
  rule(Gumbel, Uniform, infinite),
  rule(Laplace, Uniform, infinite),

  rule(Exponential, GammaFamily, (p, q) => toGamma(p, q, sub(-euler, log(p.rate)))),
  rule(Beta, GammaFamily, (p, q) => toGamma(p, q, betaLogarithm(p))),
  rule(Uniform, GammaFamily, evenToGamma),
  rule(Normal, GammaFamily, infinite),
  rule(Gumbel, GammaFamily, infinite),
  rule(Laplace, GammaFamily, infinite),

  rule(Uniform, Beta, evenToBeta),
  rule(Normal, Beta, infinite),
  rule(Exponential, Beta, infinite),
  rule(Gumbel, Beta, infinite),
  rule(Laplace, Beta, infinite),
  rule(GammaFamily, Beta, infinite),

  rule(Poisson, Bernoulli, infinite),
  rule(Bernoulli, Poisson, trialToCount),
];

/** The shape of both batches together. Throws ShapeError if they or the events do not fit. */
function commonBatch(p: Distribution, q: Distribution): Shape {
  const events = [p, q].map(({ name, eventShape }) => `${name} [${eventShape.join(", ")}]`);
  if (p.eventShape.join() !== q.eventShape.join())
    throw new ShapeError(
      `klDivergence: the events of ${events.join(" and ")} differ; give both the same shape`,
    );
  return commonShape("klDivergence", [
    [`the batch of ${p.name}`, p.batchShape],
    [`that of ${q.name}`, q.batchShape],
  ]);
}

/**
 * The divergence of Kullback and Leibler (1951) from `p` to `q`, the mean of `log p(x) - log q(x)` over `p`, in closed form: one number for each
 * pair of the batches, which broadcast. It is there for two of a kind, from `Normal` to `Laplace`, between `Bernoulli` and `Poisson`,
 * from the others of numbers to `Normal`, to `Gumbel` and, some of it infinite, to `Exponential`, `Uniform`, `Gamma` and `Beta`: the
 * pairs that PyTorch has.
 *
 * Throws ValueError for a pair without a formula and for what are no distributions, ShapeError if they do not fit.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { klDivergence, Normal } from "@cotangent/nn/distributions";
 * klDivergence(new Normal(tensor([0, 1]), 1), new Normal(0, 1)).toArray(); // => 0,0.5
 * ```
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  checkDistribution("klDivergence: p", p);
  checkDistribution("klDivergence: q", q);
  const found = rules.find(([first, second]) => p instanceof first && q instanceof second);
  if (!found)
    throw new ValueError(
      `klDivergence: there is no closed form from ${p.name} to ${q.name}; estimate it by the mean of ` +
        "p.logProb(x) - q.logProb(x) over samples x of p",
    );
  commonBatch(p, q);
  return found[2](p, q);
}
