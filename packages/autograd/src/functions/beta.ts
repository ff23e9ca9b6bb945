import type { Arithmetic, Body } from "../arithmetic.ts";
import { exp, expm1 } from "./exponential.ts";
import { weight } from "./incomplete.ts";
import { log1p } from "./logarithm.ts";
import { inDouble } from "./precision.ts";

/**
 * The incomplete beta function: with `y = 1 - x` and `p` the density of Beta's distribution, `x y p(x)` times a continued fraction where one of the two
 * concentrations is small, and times an integral where both are large. Both serve left of the mean; right of it stands the complement.
 */

/** From here on, of both concentrations, the integral serves. */
const manyFrom = 20;
/** Enough for the last place where the fraction serves, found by trying. */
const fractionTerms = 60;
/** Within these no sum and no reciprocal of concentrations is infinite; beyond them all lies at the mean, or at the ends. */
const [least, most] = [2 ** -900, 2 ** 900];

interface Side<E> {
  readonly isRight: E;
  readonly a: E;
  readonly b: E;
  readonly x: E;
  /** `1 - x` */
  readonly y: E;
}

function bounded<E>(m: Arithmetic<E>, concentration: E): E {
  return m.pmax(m.pmin(concentration, most), least);
}

/** The operands as seen from the side on which `x` lies left of the mean. */
function sideOf<E>(m: Arithmetic<E>, first: E, second: E, place: E): Side<E> {
  const [a, b, rest] = [bounded(m, first), bounded(m, second), m.sub(1, place)];
  const isBeyond = m.lt(m.add(a, 1), m.mul(place, m.add(m.add(a, b), 2)));
  // Here the fraction would need more and more terms.
  const isAtEnd = m.and(m.and(m.lt(b, 1), m.lt(0.9, place)), m.le(m.mul(a, rest), 1.5));
  const isRight = m.or(isBeyond, isAtEnd);
  const either = (left: E, right: E): E => m.select(isRight, right, left);
  return { isRight, a: either(a, b), b: either(b, a), x: either(place, rest), y: either(rest, place) };
}

/**
 * `x y p(x) = x^a y^b gamma(a + b) / (gamma(a) gamma(b))` as a quotient of those of Gamma's distribution, at shares of `a + b` and at `a + b` itself: so it has
 * its digits for large concentrations.
 */
function betaWeight<E>(m: Arithmetic<E>, a: E, b: E, x: E, y: E): E {
  const sum = m.add(a, b);
  const first = m.div(weight(m, a, m.mul(sum, x)), weight(m, sum, sum));
  return m.mul(first, weight(m, b, m.mul(sum, y)));
}

/** From its far end, the even part of the fraction of DLMF 8.17.22 (A. R. Didonato and A. H. Morris, ACM TOMS 18, 1992). */
function fraction<E>(m: Arithmetic<E>, { a, b, x, y }: Side<E>): E {
  const sum = m.add(a, b);
  const away = m.add(m.sub(m.mul(a, y), m.mul(b, x)), 1);
  const inverses = Array.from({ length: fractionTerms + 1 }, (_, n) => m.div(1, m.add(a, 2 * n + 1)));
  const product = (n: number): E => m.mul(m.mul(m.sub(b, n), x), n);
  const below = (n: number): E => {
    const place = m.add(away, m.mul(m.sub(2, x), n));
    const last = m.add(m.mul(m.mul(m.add(a, n), inverses[n]!), place), n);
    return n === 0 ? last : m.add(last, m.mul(product(n), inverses[n - 1]!));
  };
  let found = below(fractionTerms);
  for (let n = fractionTerms; n >= 1; n--) {
    const inverse = inverses[n - 1]!;
    const first = m.mul(m.add(a, n - 1), inverse);
    const second = m.mul(m.mul(m.add(sum, n - 1), inverse), x);
    found = m.add(below(n - 1), m.div(m.mul(m.mul(first, second), product(n)), found));
  }
  return m.div(1, found);
}

interface Node {
  /** From 0 to 1. */
  readonly at: number;
  readonly weight: number;
}

const nodeCount = 24;
let made: readonly Node[] | null = null;

/** Gauss's and Legendre's nodes from 0 to 1: the roots of the polynomial from above, each by Newton's method without those before. */
function nodes(): readonly Node[] {
  if (made) return made;
  const slopeAt = (x: number): { readonly value: number; readonly slope: number } => {
    let [before, value] = [1, x];
    for (let n = 2; n <= nodeCount; n++)
      [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
    return { value, slope: (nodeCount * (before - x * value)) / (1 - x * x) };
  };
  const roots: number[] = [];
  for (let i = 0; i < nodeCount / 2; i++) {
    let x = i === 0 ? 0.9999 : roots[i - 1]! - 1e-4;
    for (let step = 0; step < 40; step++) {
      const { value, slope } = slopeAt(x);
      // The last steps without the others, which cost digits.
      const others = step < 37 ? roots.reduce((sum, root) => sum + 1 / (x - root), 0) : 0;
      x -= value / (slope - value * others);
    }
    roots.push(x);
  }
  made = roots.flatMap((x) => {
    const { slope } = slopeAt(x);
    const weight = 1 / ((1 - x * x) * slope * slope);
    return [-x, x].map((at) => ({ at: (1 + at) / 2, weight }));
  });
  return made;
}

/** Beyond it, as an exponent below 0, nothing counts. */
const farthest = 37;

/**
 * The integral of `t (1 - t) p(t) / (x y p(x))` over `v = logit(x) - logit(t)` from 0: there the integrand falls, its logarithm ever faster, so that
 * nodes up to where it ends serve for concentrations of every size.
 */
function integral<E>(m: Arithmetic<E>, { a, b, x, y }: Side<E>): E {
  const sum = m.add(a, b);
  // a v + (a + b) log(1 + x (e^-v - 1)), or for a share near 1 -b v + (a + b) log(1 + y (e^v - 1)): of the smaller one there is less to cancel.
  const isLow = m.le(x, 0.5);
  const [power, part] = [m.select(isLow, a, m.neg(b)), m.select(isLow, x, y)];
  const turn = m.select(isLow, -1, m.constant(1, "float64"));
  const fall = (v: E): E =>
    m.add(m.mul(power, v), m.mul(sum, log1p(m, m.mul(part, expm1(m, m.mul(turn, v))))));
  // The first guess is the end of a parabola, and Newton's steps come from beyond the end.
  const slope = m.pmax(m.sub(m.mul(a, y), m.mul(b, x)), 0);
  const curve = m.mul(m.mul(sum, x), y);
  const root = m.sqrt(m.add(m.mul(slope, slope), m.mul(curve, 2 * farthest)));
  let end = m.div(2 * farthest, m.add(slope, root));
  for (let step = 0; step < 3; step++) {
    const odds = m.mul(x, exp(m, m.neg(end)));
    const steep = m.sub(a, m.mul(sum, m.div(odds, m.add(odds, y))));
    end = m.sub(end, m.div(m.sub(fall(end), farthest), steep));
  }
  let total = m.constant(0, "float64");
  for (const { at, weight } of nodes())
    total = m.add(total, m.mul(exp(m, m.neg(fall(m.mul(end, at)))), weight));
  // Here no two places are told apart but by the weight: half of all lies up to the mean.
  return m.select(m.lt(2 ** 100, curve), m.sqrt(m.div(Math.PI / 2, curve)), m.mul(end, total));
}

/** One of the two sums, on its side. */
const byTail =
  (tail: <E>(m: Arithmetic<E>, side: Side<E>) => E): Body =>
  (m, a, b, x) => {
    const side = sideOf(m, a!, b!, x!);
    const left = m.pmin(m.mul(betaWeight(m, side.a, side.b, side.x, side.y), tail(m, side)), 1);
    return m.select(side.isRight, m.sub(1, left), left);
  };
const byFraction = byTail(fraction);
const byIntegral = byTail(integral);

function isInside<E>(m: Arithmetic<E>, a: E, b: E, x: E): E {
  const isPositive = m.and(m.and(m.lt(0, a), m.lt(a, Infinity)), m.and(m.lt(0, b), m.lt(b, Infinity)));
  return m.and(isPositive, m.and(m.lt(0, x), m.lt(x, 1)));
}

function isValid<E>(m: Arithmetic<E>, a: E, b: E, x: E): E {
  return m.and(m.and(m.le(0, a), m.le(0, b)), m.and(m.le(0, x), m.le(x, 1)));
}

/** The regularized incomplete beta function, of `a`, `b` and `x`. */
export const betainc: Body = inDouble("betainc", (m, a, b, x) => {
  const inside = isInside(m, a!, b!, x!);
  // All lies at 0 or at 1, unless both concentrations say so.
  const isAtOne = m.or(m.and(m.eq(a!, Infinity), m.lt(b!, Infinity)), m.and(m.eq(b!, 0), m.lt(0, a!)));
  const isAtZero = m.or(m.and(m.eq(b!, Infinity), m.lt(a!, Infinity)), m.and(m.eq(a!, 0), m.lt(0, b!)));
  const isNone = m.and(m.lt(x!, 1), m.or(isAtOne, m.and(m.eq(x!, 0), m.lt(0, a!))));
  const isAll = m.and(m.lt(0, x!), m.or(isAtZero, m.and(m.eq(x!, 1), m.lt(0, b!))));
  const known = m.select(isNone, 0, m.select(isAll, m.constant(1, "float64"), NaN));
  const edge = m.select(isValid(m, a!, b!, x!), known, NaN);
  const isMany = m.and(inside, m.and(m.le(manyFrom, a!), m.le(manyFrom, b!)));
  const isFew = m.and(inside, m.not(isMany));
  return m.rare(isMany, m.rare(isFew, edge, byFraction, a!, b!, x!), byIntegral, a!, b!, x!);
});

/** The density of Beta's distribution, of `a`, `b` and `x`. */
export const betaDensity: Body = inDouble("betaDensity", (m, a, b, x) => {
  const inside = isInside(m, a!, b!, x!);
  const first = bounded(m, m.select(inside, a!, 1));
  const second = bounded(m, m.select(inside, b!, 1));
  const place = m.select(inside, x!, 0.5);
  const rest = m.sub(1, place);
  const value = m.div(m.div(betaWeight(m, first, second, place, rest), place), rest);
  const isZero = m.eq(x!, 0);
  const [power, other] = [m.select(isZero, a!, b!), m.select(isZero, b!, a!)];
  const atEnd = m.select(m.lt(power, 1), Infinity, m.select(m.eq(power, 1), other, 0));
  const isEnd = m.or(isZero, m.eq(x!, 1));
  const edge = m.select(isEnd, atEnd, m.constant(0, "float64"));
  return m.select(inside, value, m.select(isValid(m, a!, b!, x!), edge, NaN));
});
