import type { Arithmetic, Body } from "../arithmetic.ts";
import { erfc } from "./complement.ts";
import { exp, expm1 } from "./exponential.ts";
import { digamma, lgamma, logGammaNearOne, polygamma } from "./gamma.ts";
import { log } from "./logarithm.ts";
import { inDouble, polynomial } from "./precision.ts";
import { type Taylor, TaylorArithmetic } from "./taylor.ts";

/**
 * The incomplete gamma functions P and Q, and how a draw `x` from the standard Gamma distribution depends on its concentration `a`. Everywhere one of the
 * two is `x p(x)` times a sum `H`, where `p` is the density: of a series, of a continued fraction, or of Temme's expansion, which has a further term. All
 * that is written for Taylor's coefficients in `a`, so that derivatives of every order are those of the same sums.
 */

/** From this concentration on Temme's expansion serves, if `x / a` is near 1. */
const manyFrom = 20;
/** Where it serves: x / a - 1. */
const [lowest, highest] = [-0.5, 0.6];
/** The fraction serves from here on at least. */
const fractionFrom = 2;
/** Enough for the last place where they serve, found by trying. */
const [seriesTerms, fractionTerms] = [60, 54];

/** `1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ...`: P is `x p / a` times that (DLMF 8.7.1 and 8.11.4). */
function seriesSum<E>(t: TaylorArithmetic<E>, a: Taylor<E>, x: E): Taylor<E> {
  let sum: Taylor<E> | null = null;
  for (let n = seriesTerms; n >= 1; n--) {
    const ratio = t.div([x], t.add(a, n));
    sum = t.add(sum ? t.mul(ratio, sum) : ratio, 1);
  }
  return sum!;
}

/** Q is `x p` times this continued fraction, from its far end (Legendre's, DLMF 8.9.2 contracted). */
function fraction<E>(m: Arithmetic<E>, t: TaylorArithmetic<E>, a: Taylor<E>, x: E): Taylor<E> {
  const minus = t.scale(a, -1);
  const atEnd = (n: number): Taylor<E> => t.add(t.add(minus, [x]), 2 * n + 1);
  let sum = atEnd(fractionTerms);
  for (let n = fractionTerms; n >= 1; n--) sum = t.add(atEnd(n - 1), t.div(t.scale(t.add(a, -n), n), sum));
  return t.div([m.constant(1, "float64")], sum);
}

interface Expansion {
  /** For each power of 1 / a a polynomial in eta. */
  readonly rows: readonly (readonly number[])[];
  /** The powers of 1 / a in `sqrt(2 pi / a) (a / e)^a / gamma(a)`. */
  readonly stirling: readonly number[];
}

/** How many coefficients of each power of 1 / a count from `manyFrom` on. */
const lengths = [23, 21, 19, 19, 18, 16, 14, 13, 11, 9, 6, 4];
let made: Expansion | null = null;

/**
 * The coefficients of Temme's expansion (N. M. Temme, The Asymptotic Expansion of the Incomplete Gamma Functions, SIAM J. Math. Anal. 10,
 * 1979): `mu = x / a - 1` and `eta / mu` as power series in eta, then row after row; that a row has no pole gives Stirling's numbers.
 */
function expansion(): Expansion {
  if (made) return made;
  const count = lengths[0]! + 2 * lengths.length;
  const mu = [0, 1];
  for (let n = 2; n <= count + 1; n++) {
    let known = 0;
    for (let i = 2; i < n; i++) known += (n + 1 - i) * mu[i]! * mu[n + 1 - i]!;
    mu.push((mu[n - 1]! - known) / (n + 1));
  }
  const quotient = [1];
  for (let k = 1; k <= count; k++) {
    let known = 0;
    for (let j = 1; j <= k; j++) known += mu[j + 1]! * quotient[k - j]!;
    quotient.push(-known);
  }
  const rows = [quotient.slice(1)];
  const stirling = [1];
  for (let k = 1; k < lengths.length; k++) {
    const slopes = rows[k - 1]!.slice(1).map((c, n) => (n + 1) * c);
    const pole = -slopes[0]!;
    stirling.push(pole);
    rows.push(slopes.slice(1).map((slope, n) => slope + pole * quotient[n + 1]!));
  }
  made = { rows: rows.map((row, k) => row.slice(0, lengths[k])), stirling };
  return made;
}

/** The coefficients of `(atanh(s) / s - 1) / s^2` in powers of s^2. */
const hyperbolic = Array.from({ length: 18 }, (_, i) => 1 / (2 * i + 3));

interface Place<E> {
  /** `sqrt(2 (mu - log(1 + mu))) / mu` */
  readonly slope: Taylor<E>;
  readonly eta: Taylor<E>;
  /** `eta^2 / 2` */
  readonly half: Taylor<E>;
}

/** Where `x / a - 1` is between `lowest` and `highest`, without a difference of near numbers. */
function placeOf<E>(m: Arithmetic<E>, t: TaylorArithmetic<E>, a: Taylor<E>, x: E): Place<E> {
  const one = m.constant(1, "float64");
  // x - a, of which few digits may be left, is exact.
  const mu = t.div(t.add(t.scale(a, -1), [x]), a);
  // log(1 + mu) = 2 atanh(s) with s = mu / (2 + mu), and mu - 2 s = mu s.
  const inner = t.div([one], t.add(mu, 2));
  const s = t.mul(mu, inner);
  const tail = t.mul(t.mul(inner, inner), t.polynomial(t.mul(s, s), hyperbolic));
  // (mu - log(1 + mu)) / mu^2
  const curve = t.mul(inner, t.add(t.scale(t.mul(mu, tail), -2), 1));
  const slope = t.sqrt(t.scale(curve, 2));
  const eta = t.mul(mu, slope);
  return { slope, eta, half: t.scale(t.mul(eta, eta), 0.5) };
}

/** Temme's sum: Q is `erfc(eta sqrt(a / 2)) / 2` and `x p` times that; and `1 / gamma(a)` by Stirling's formula is too small by the factor that comes too. */
function temmeSum<E>(m: Arithmetic<E>, t: TaylorArithmetic<E>, a: Taylor<E>, { eta }: Place<E>) {
  const { rows, stirling } = expansion();
  const inverse = t.div([m.constant(1, "float64")], a);
  let sum: Taylor<E> | null = null;
  for (const row of rows.toReversed()) {
    const inner = t.polynomial(eta, row);
    sum = sum ? t.add(t.mul(sum, inverse), inner) : inner;
  }
  const factor = t.div(inverse, t.polynomial(inverse, stirling));
  return { sum: t.mul(sum!, factor), factor };
}

/** `x p(x) = x^a e^-x / gamma(a)` for positive, finite operands. */
export function weight<E>(m: Arithmetic<E>, a: E, x: E): E {
  const many = m.pmax(a, manyFrom);
  const ratio = m.div(x, many);
  const mu = m.div(m.sub(x, many), many);
  const isNear = m.and(m.le(lowest, mu), m.le(mu, highest));
  const t = new TaylorArithmetic(m, 0);
  const near = placeOf(m, t, [many], m.select(isNear, x, many)).half[0]!;
  const half = m.select(isNear, near, m.sub(mu, log(m, ratio)));
  const root = m.sqrt(m.mul(many, 1 / (2 * Math.PI)));
  const large = m.mul(
    m.mul(exp(m, m.neg(m.mul(many, half))), root),
    polynomial(m, m.div(1, many), expansion().stirling),
  );
  const few = m.pmin(a, manyFrom);
  const exponent = m.sub(m.sub(m.mul(few, log(m, x)), x), lgamma(m, m.add(few, 1)));
  return m.select(m.le(manyFrom, a), large, m.mul(few, exp(m, exponent)));
}

interface Regions<E> {
  readonly isTemme: E;
  readonly isSeries: E;
  readonly isFraction: E;
}

function regions<E>(m: Arithmetic<E>, a: E, x: E): Regions<E> {
  const inside = m.and(m.and(m.lt(0, a), m.lt(a, Infinity)), m.and(m.lt(0, x), m.lt(x, Infinity)));
  const near = m.and(m.le(m.mul(a, 1 + lowest), x), m.le(x, m.mul(a, 1 + highest)));
  const isTemme = m.and(inside, m.and(m.le(manyFrom, a), near));
  const rest = m.and(inside, m.not(isTemme));
  const isLow = m.or(m.lt(x, m.add(a, 1)), m.lt(x, fractionFrom));
  return { isTemme, isSeries: m.and(rest, isLow), isFraction: m.and(rest, m.not(isLow)) };
}

/** For a up to a half and x below 2: `1 - P`, of which no digit is lost where it is small (DLMF 8.7.1). */
function smallUpper<E>(m: Arithmetic<E>, a: E, x: E): E {
  const gamma = logGammaNearOne(m, a);
  const exponent = m.sub(m.mul(a, log(m, x)), gamma);
  let term = m.constant(1, "float64");
  let sum = m.constant(0, "float64");
  for (let n = 1; n <= 26; n++) {
    term = m.mul(term, m.mul(x, -1 / n));
    sum = m.add(sum, m.div(term, m.add(a, n)));
  }
  return m.neg(m.add(expm1(m, exponent), m.mul(m.mul(a, sum), exp(m, exponent))));
}

/** P, or Q if `isUpper`. */
function incomplete(isUpper: boolean): Body {
  const bySeries: Body = (m, a, x) => {
    const t = new TaylorArithmetic(m, 0);
    const lower = m.mul(weight(m, a!, x!), m.div(seriesSum(t, [a!], x!)[0]!, a!));
    if (!isUpper) return lower;
    const isSmall = m.and(m.le(a!, 0.5), m.lt(x!, fractionFrom));
    return m.rare(isSmall, m.sub(1, lower), (m, a, x) => smallUpper(m, a!, x!), a!, x!);
  };
  const byFraction: Body = (m, a, x) => {
    const t = new TaylorArithmetic(m, 0);
    const upper = m.mul(weight(m, a!, x!), fraction(m, t, [a!], x!)[0]!);
    return isUpper ? upper : m.sub(1, upper);
  };
  const byTemme: Body = (m, a, x) => {
    const t = new TaylorArithmetic(m, 0);
    const place = placeOf(m, t, [a!], x!);
    const rest = m.mul(weight(m, a!, x!), temmeSum(m, t, [a!], place).sum[0]!);
    const z = m.mul(place.eta[0]!, m.sqrt(m.mul(a!, 0.5)));
    const half = m.mul(erfc(m, isUpper ? z : m.neg(z)), 0.5);
    return isUpper ? m.add(half, rest) : m.sub(half, rest);
  };
  const none = isUpper ? 1 : 0;
  return inDouble(isUpper ? "gammaincc" : "gammainc", (m, a, x) => {
    const { isTemme, isSeries, isFraction } = regions(m, a!, x!);
    // Nothing up to 0, all up to infinity, unless the one is as the other.
    const isValid = m.and(m.le(0, a!), m.le(0, x!));
    const isNone = m.and(
      isValid,
      m.or(m.and(m.eq(x!, 0), m.lt(0, a!)), m.and(m.eq(a!, Infinity), m.lt(x!, Infinity))),
    );
    const isAll = m.and(
      isValid,
      m.or(m.and(m.eq(x!, Infinity), m.lt(a!, Infinity)), m.and(m.eq(a!, 0), m.lt(0, x!))),
    );
    const edge = m.select(isNone, none, m.select(isAll, m.constant(1 - none, "float64"), NaN));
    const series = m.rare(isSeries, edge, bySeries, a!, x!);
    return m.rare(isTemme, m.rare(isFraction, series, byFraction, a!, x!), byTemme, a!, x!);
  });
}

/** The regularized lower incomplete gamma function. */
export const gammainc: Body = incomplete(false);
/** The regularized upper incomplete gamma function. */
export const gammaincc: Body = incomplete(true);

/** The density of the standard Gamma distribution with concentration `a`, positive, at `x`. */
export const gammaDensity: Body = inDouble("gammaDensity", (m, a, x) => {
  const inside = m.and(m.and(m.lt(0, a!), m.lt(a!, Infinity)), m.and(m.lt(0, x!), m.lt(x!, Infinity)));
  const value = m.div(weight(m, m.select(inside, a!, 1), m.select(inside, x!, 1)), x!);
  const atZero = m.select(m.lt(a!, 1), Infinity, m.select(m.eq(a!, 1), m.constant(1, "float64"), 0));
  const edge = m.select(
    m.eq(x!, 0),
    atZero,
    m.select(m.and(m.le(0, a!), m.le(0, x!)), m.constant(0, "float64"), NaN),
  );
  return m.select(inside, value, edge);
});

/** psi(a) and its derivatives as Taylor's coefficients. */
function psi<E>(m: Arithmetic<E>, a: E, order: number): Taylor<E> {
  let factorial = 1;
  return Array.from({ length: order + 1 }, (_, k) => {
    if (k === 0) return digamma(m, a);
    factorial *= k;
    return m.div(polygamma(k)(m, a), factorial);
  });
}

/**
 * The derivative of order `order` by `a` of `-(dF/da) / (x p)`, of operands `a` and `log x`: of how the logarithm of a draw changes with `a` while
 * its share `F` of the distribution stays (M. Figurnov, S. Mohamed and A. Mnih, Implicit Reparameterization Gradients, 2018). `x p` cancels, so
 * that it has its digits where both underflow.
 */
export function gammaSlope(order: number): Body {
  const factorial = Array.from({ length: order }, (_, i) => i + 1).reduce((product, i) => product * i, 1);
  /** Of a tail `x p H`: H' + H (log x - psi(a)). */
  const ofTail = <E>(m: Arithmetic<E>, sum: Taylor<E>, away: Taylor<E>): Taylor<E> => {
    const t = new TaylorArithmetic(m, order);
    return t.add(t.mul(sum, away), t.derivative(sum));
  };
  const awayOf = <E>(m: Arithmetic<E>, a: E, logarithm: E): Taylor<E> => {
    const t = new TaylorArithmetic(m, order);
    return t.add(t.scale(psi(m, a, order), -1), [logarithm]);
  };
  const told = <E>(m: Arithmetic<E>, f: Taylor<E>): E => m.mul(f[order]!, factorial);
  const bySeries: Body = (m, a, logarithm) => {
    const t = new TaylorArithmetic(m, order + 1);
    const sum = seriesSum(t, t.variable(a!), exp(m, logarithm!));
    // Of psi(a + 1): there is no pole at 0 that would cancel.
    const change = ofTail(m, sum, awayOf(m, m.add(a!, 1), logarithm!));
    return m.neg(told(m, new TaylorArithmetic(m, order).div(change, t.variable(a!))));
  };
  const byFraction: Body = (m, a, logarithm) => {
    const t = new TaylorArithmetic(m, order + 1);
    const sum = fraction(m, t, t.variable(a!), exp(m, logarithm!));
    return told(m, ofTail(m, sum, awayOf(m, a!, logarithm!)));
  };
  const byTemme: Body = (m, a, logarithm) => {
    const t = new TaylorArithmetic(m, order + 1);
    const place = placeOf(m, t, t.variable(a!), exp(m, logarithm!));
    const { sum, factor } = temmeSum(m, t, t.variable(a!), place);
    const normal = t.add(t.div([m.constant(1, "float64")], place.slope), t.scale(place.eta, -0.5));
    return told(m, t.add(ofTail(m, sum, awayOf(m, a!, logarithm!)), t.mul(normal, factor)));
  };
  return (m, a, logarithm) => {
    // A draw may be too small for any number, but its logarithm is not.
    const x = m.pmax(exp(m, logarithm!), 2 ** -1022);
    const { isTemme, isSeries, isFraction } = regions(m, a!, x);
    const edge = m.constant(NaN, "float64");
    const series = m.rare(isSeries, edge, bySeries, a!, logarithm!);
    return m.rare(isTemme, m.rare(isFraction, series, byFraction, a!, logarithm!), byTemme, a!, logarithm!);
  };
}
