import type { Arithmetic, Body } from "../arithmetic.ts";
import { exp } from "../functions/exponential.ts";
import { log, log1p } from "../functions/logarithm.ts";
import { polynomial } from "../functions/precision.ts";
import { cos } from "../functions/trigonometric.ts";
import type { Derivative, Op, Tensor } from "../graph.ts";
import { apply, partial, zero } from "../graph.ts";
import { threefry, unitInterval } from "../random.ts";
import { drawOperands, type Stream } from "./draws.ts";
import { gammaSlope } from "./incomplete.ts";

/**
 * Draws that reject proposals: waiting times and counts of arrivals, in float64. The next proposal is the slow side of a `rare`, so that an
 * element pays for those that it needs.
 */

const gammaProposals = 12;
const poissonProposals = 24;
/** Counters that one draw uses up: two for each proposal, and one. */
export const countersOfGamma: number = 2 * gammaProposals + 1;
/** Counters that one draw uses up. */
export const countersOfPoisson: number = poissonProposals;

/** What an element draws from: both words of the key, its number, the counter. */
type Place<E> = readonly [key0: E, key1: E, index: E, counter: E];

/** The two words at the counter `offset` behind that of the draw. */
function wordsAt<E>(m: Arithmetic<E>, [key0, key1, index, counter]: Place<E>, offset: number): [E, E] {
  return threefry(m, key0, key1, index, m.add(counter, offset));
}

/** A number between 0 and 1, both excluded, from one word. */
function coarse<E>(m: Arithmetic<E>, word: E): E {
  return m.mul(m.add(m.convert(word, "float64"), 2 ** 31 + 0.5), 2 ** -32);
}

/** Above this the proposals of a Gamma draw are taken as they are: one in 1e9 would be rejected. */
const farGamma = 1e8;

/**
 * The logarithm of the `(1 + c x)^3` that is accepted, from proposal number `n` on, of operands d, c and the place (G. Marsaglia and W. W.
 * Tsang, A Simple Method for Generating Gamma Variables, ACM Trans. Math. Softw. 26, 2000). If none is, it is 0.
 */
function proposedGamma(n: number): Body {
  return <E>(m: Arithmetic<E>, ...operands: E[]): E => {
    const [d, c, ...rest] = operands as [E, E, E, E, E, E];
    const radius = m.sqrt(m.mul(log(m, m.sub(1, unitInterval(m, ...wordsAt(m, rest, 2 * n)))), -2));
    const [angle, chance] = wordsAt(m, rest, 2 * n + 1);
    const x = m.mul(radius, cos(m, m.mul(coarse(m, angle), 2 * Math.PI)));
    const root = m.add(m.mul(c, x), 1);
    const isPositive = m.lt(0, root);
    const cube = m.mul(root, m.mul(root, root));
    const logCube = m.mul(log(m, m.select(isPositive, root, 1)), 3);
    const most = m.add(m.mul(m.mul(x, x), 0.5), m.mul(d, m.add(m.sub(1, cube), logCube)));
    const isAccepted = m.or(m.and(isPositive, m.lt(log(m, coarse(m, chance)), most)), m.lt(farGamma, d));
    if (n + 1 === gammaProposals) return m.select(isAccepted, logCube, 0);
    return m.rare(m.not(isAccepted), logCube, proposedGamma(n + 1), d, c, ...rest);
  };
}

/** From the logarithm of a draw for `a + 1` to that for `a`: an even draw to the power `1 / a` more. */
const boosted: Body = <E>(m: Arithmetic<E>, ...operands: E[]): E => {
  const [above, a, ...rest] = operands as [E, E, E, E, E, E];
  const even = m.sub(1, unitInterval(m, ...wordsAt(m, rest, 2 * gammaProposals)));
  return m.add(above, m.div(log(m, even), a));
};

/** The logarithm of a draw, of operands concentration and place. */
const logGamma: Body = <E>(m: Arithmetic<E>, ...operands: E[]): E => {
  const [a, ...rest] = operands as [E, E, E, E, E];
  const isSmall = m.lt(a, 1);
  const d = m.sub(m.select(isSmall, m.add(a, 1), a), 1 / 3);
  const c = m.div(1, m.sqrt(m.mul(d, 9)));
  const above = m.add(log(m, d), proposedGamma(0)(m, d, c, ...rest));
  return m.select(m.lt(a, 0), NaN, m.rare(isSmall, above, boosted, above, a, ...rest));
};

/** From this rate on proposals, below it sums of probabilities. */
const largeRate = 10;
/** Beyond so many arrivals at this rate lies less than 2^-53. */
const mostOfSmall = 48;

/** How many of the running sums of the probabilities are up to `even`. */
function counted<E>(m: Arithmetic<E>, rate: E, even: E): E {
  let probability = exp(m, m.neg(rate));
  let sum = probability;
  let count = m.constant(0, "float64");
  for (let k = 1; k <= mostOfSmall; k++) {
    count = m.select(m.le(sum, even), k, count);
    probability = m.mul(probability, m.mul(rate, 1 / k));
    sum = m.add(sum, probability);
  }
  return count;
}

/** What Stirling's formula for `log gamma(k)` lacks, at k = 1 to 9. */
const lacking = [
  0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093, 0.016644691189821193,
  0.013876128823070748, 0.01189670994589177, 0.010411265261972096, 0.009255462182712733,
];

/** The logarithm of the probability of `count` arrivals, whole and at least 0, at a `rate` from 10 on. */
function logProbability<E>(m: Arithmetic<E>, count: E, rate: E): E {
  const next = m.add(count, 1);
  const relative = m.div(m.sub(rate, next), next);
  // Stirling's series from 10 on.
  const inverse = m.div(1, m.pmax(next, 10));
  const series = polynomial(m, m.mul(inverse, inverse), [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188]);
  const index = m.convert(m.sub(m.pmin(next, lacking.length), 1), "int32");
  const few = m.table(lacking, index, "float64");
  const rest = m.select(m.lt(next, 10), few, m.mul(inverse, series));
  // Both logarithms of large numbers are of a quotient near 1, else the digits would be lost that count.
  const main = m.mul(next, m.sub(log1p(m, relative), relative));
  const width = log(m, m.div(m.mul(m.sqrt(next), 1 / Math.sqrt(2 * Math.PI)), rate));
  return m.sub(m.add(main, width), rest);
}

/**
 * How much higher the hat of the proposals has to be than it is with the constants of the paper, which at rates from 10 to 1000 the probabilities exceed by up
 * to 0.6% in places, about two deviations above the mean.
 */
const higher = 1.0065;

/**
 * The number of arrivals that is accepted, from proposal number `n` on, of operands rate and place: PTRS (W. Hörmann, The Transformed
 * Rejection Method for Generating Poisson Random Variables, Insurance: Mathematics and Economics 12, 1993). If none is, it is the rate, rounded down.
 */
function proposedCount(n: number): Body {
  return <E>(m: Arithmetic<E>, ...operands: E[]): E => {
    const [rate, ...rest] = operands as [E, E, E, E, E];
    const b = m.add(m.mul(m.sqrt(rate), 2.53), 0.931);
    const a = m.add(m.mul(b, 0.02483), -0.059);
    const inverseAlpha = m.mul(m.add(m.div(1.1328, m.sub(b, 3.4)), 1.1239), higher);
    const [first, chance] = wordsAt(m, rest, n);
    const even = m.sub(coarse(m, first), 0.5);
    const end = m.sub(0.5, m.abs(even));
    const slope = m.add(m.div(m.mul(a, 2), end), b);
    const count = m.floor(m.add(m.add(m.mul(slope, even), rate), 0.43));
    const height = m.add(m.div(a, m.mul(end, end)), b);
    const most = logProbability(m, m.pmax(count, 0), rate);
    const reached = log(m, m.div(m.mul(coarse(m, chance), inverseAlpha), height));
    const isAccepted = m.and(m.le(0, count), m.le(reached, most));
    if (n + 1 === poissonProposals) return m.select(isAccepted, count, m.floor(rate));
    return m.rare(m.not(isAccepted), count, proposedCount(n + 1), rate, ...rest);
  };
}

/** The number of arrivals, of operands rate and place. */
const poissonCount: Body = <E>(m: Arithmetic<E>, ...operands: E[]): E => {
  const [rate, ...rest] = operands as [E, E, E, E, E];
  const isLarge = m.le(largeRate, rate);
  const even = unitInterval(m, ...wordsAt(m, rest, 0));
  const few = counted(m, m.pmin(rate, largeRate), even);
  const many = m.rare(isLarge, few, proposedCount(0), rate, ...rest);
  return m.select(m.le(0, rate), many, NaN);
};

function drawOp(name: string, body: Body, by: Derivative): Op {
  return {
    name,
    kernel: { kind: "pointwise", body },
    derivatives: [by, zero],
    shape: ([x]) => x!.shape,
    dtype: () => "float64",
    // A draw is no function of its parameter: the derivative, if there is one, is that of its distribution.
    meaning: "intended",
  };
}

const logGammaOp = drawOp(
  "logStandardGamma",
  logGamma,
  partial((out, a) => gammaSlope(a!, out)),
);
const poissonOp = drawOp("poisson", poissonCount, zero);

/** The logarithms of draws from Gamma's distribution with these concentrations, float64. */
export const logGammaDraw = (stream: Stream, concentration: Tensor): Tensor =>
  apply(logGammaOp, [concentration, ...drawOperands(stream, concentration.shape)]);

/** Draws of the number of arrivals at these rates, float64. */
export const poissonDraw = (stream: Stream, rate: Tensor): Tensor =>
  apply(poissonOp, [rate, ...drawOperands(stream, rate.shape)]);
