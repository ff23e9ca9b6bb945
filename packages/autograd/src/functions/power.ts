import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { expNearZero } from "./exponential.ts";
import { normalizeAny } from "./logarithm.ts";
import type { Sum } from "./precision.ts";
import { isSingle, polynomial, split, upperHalf } from "./precision.ts";

/** 2 / (3 ln 2) whole and in two parts, and series for (3 / 2s) log((1 + s) / (1 - s)) - 3 - s^2 over s^4, by Remez exchange. */
const float32 = {
  factor: [0.9619140625, -0.00011736857413779944],
  // Within 2^-36 for |s| <= 0.1716.
  series: [0.600002289, 0.428206354, 0.351293594],
  largestExponent: 2 ** 33,
} as const;
const float64 = {
  factor: [0.9617967009544373, -7.028461650952758e-9],
  // Within 2^-66 for |s| <= 0.1716.
  series: [
    0.6000000000000338, 0.4285714285514948, 0.33333333779847446, 0.2727267655520158, 0.23080135734926266,
    0.1988523383311496, 0.19794416974754686,
  ],
  largestExponent: 2 ** 66,
} as const;
const wholeFactor = 0.9617966939259757;

/**
 * The logarithm to base 2 of a positive number, to half again the digits of its dtype: `high` has half of the digits.
 * The plan is that of fdlibm's e_pow.c: products of half-length numbers are exact.
 */
function log2<E>(m: Arithmetic<E>, x: E): Sum<E> {
  const { factor, series } = isSingle(m, x) ? float32 : float64;
  const { k, fraction } = normalizeAny(m, x);
  // s = (fraction - 1) / (fraction + 1)
  const f = m.sub(fraction, 1);
  const denominator = m.add(fraction, 1);
  const reciprocal = m.div(1, denominator);
  const s = m.mul(f, reciprocal);
  const sHigh = upperHalf(m, s);
  const dHigh = upperHalf(m, denominator);
  const dLow = m.sub(fraction, m.sub(dHigh, 1));
  const sLow = m.mul(reciprocal, m.sub(m.sub(f, m.mul(sHigh, dHigh)), m.mul(sHigh, dLow)));
  // t = 3 + s^2 + s^4 ...
  const square = m.mul(s, s);
  const tail = m.add(
    m.mul(m.mul(square, square), polynomial(m, square, series)),
    m.mul(sLow, m.add(sHigh, s)),
  );
  const squareHigh = m.mul(sHigh, sHigh);
  const tHigh = upperHalf(m, m.add(m.add(squareHigh, 3), tail));
  const tLow = m.sub(tail, m.sub(m.sub(tHigh, 3), squareHigh));
  // p = s t
  const main = m.mul(sHigh, tHigh);
  const rest = m.add(m.mul(sLow, tHigh), m.mul(tLow, s));
  const pHigh = upperHalf(m, m.add(main, rest));
  const pLow = m.sub(rest, m.sub(pHigh, main));
  // k + p 2 / (3 ln 2)
  const high = m.mul(pHigh, factor[0]);
  const low = m.add(m.mul(pHigh, factor[1]), m.mul(pLow, wholeFactor));
  const result = upperHalf(m, m.add(k, m.add(high, low)));
  return { high: result, low: m.sub(low, m.sub(m.sub(result, k), high)) };
}

/** `2^(y l)`. */
function exp2OfProduct<E>(m: Arithmetic<E>, y: E, l: Sum<E>): E {
  const parts = split(m, y);
  const high = m.mul(parts.high, l.high);
  const low = m.add(m.mul(parts.low, l.high), m.mul(y, l.low));
  const k = m.nearest(m.add(high, low));
  const rest = m.add(m.sub(high, k), low);
  // Far beyond overflow the rest is noise.
  return m.scale2(expNearZero(m, m.mul(m.pmin(m.pmax(rest, -1), 1), Math.LN2)), k);
}

/**
 * `x` to the power `y`, with the special values of C99's Annex F. Small whole powers and roots are computed as such: a
 * program that knows `y` (those of `evaluate` do if it is one of these) has nothing else left.
 */
export const pow: Body = named("pow", (m, x, y) => {
  const square = m.mul(x!, x!);
  // -0 + 0 is 0, and the power 0.5 of it too.
  const root = m.select(m.eq(x!, -Infinity), Infinity, m.sqrt(m.add(x!, 0)));
  let result = anyPower(m, x!, y!);
  result = m.select(m.eq(y!, 0.5), root, result);
  result = m.select(m.eq(y!, -0.5), m.div(1, root), result);
  result = m.select(m.eq(y!, -1), m.div(1, x!), result);
  result = m.select(m.eq(y!, 3), m.mul(square, x!), result);
  result = m.select(m.eq(y!, 2), square, result);
  return m.select(m.eq(y!, 1), x!, result);
});

function anyPower<E>(m: Arithmetic<E>, x: E, y: E): E {
  const magnitude = m.abs(x);
  const { largestExponent } = isSingle(m, x) ? float32 : float64;
  // Larger exponents give 0, 1 or infinity like these.
  const bounded = m.pmin(m.pmax(y, -largestExponent), largestExponent);
  const inside = exp2OfProduct(m, bounded, log2(m, magnitude));
  const isWhole = m.eq(m.floor(y), y);
  const real = m.select(m.and(m.lt(x, 0), m.not(isWhole)), NaN, inside);
  const atEnd = m.or(m.eq(x, 0), m.eq(magnitude, Infinity));
  // 0 and infinity stay, or change places.
  const end = m.select(m.lt(0, y), magnitude, m.select(m.lt(y, 0), m.div(1, magnitude), y));
  const result = m.select(atEnd, end, real);
  const half = m.mul(y, 0.5);
  const isOdd = m.and(isWhole, m.ne(m.floor(half), half));
  const isNegative = m.lt(m.copysign(m.constant(1, m.dtypeOf(x)), x), 0);
  const signed = m.select(m.and(isNegative, isOdd), m.neg(result), result);
  return m.select(m.or(m.eq(y, 0), m.eq(x, 1)), 1, signed);
}
