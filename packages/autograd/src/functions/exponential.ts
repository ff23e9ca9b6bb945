import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { isSingle, polynomial, precisionOf } from "./precision.ts";

/**
 * Beyond `least` and `largest` e^x is 0 and infinity, below `flat` e^x - 1 is -1, and nearer to 0 than `tiny` it is x, all
 * after rounding.
 */
interface Limits {
  readonly least: number;
  readonly largest: number;
  readonly flat: number;
  readonly tiny: number;
}
const float32: Limits = { least: -104, largest: 89, flat: -18, tiny: 2 ** -26 };
const float64: Limits = { least: -746, largest: 710, flat: -38, tiny: 2 ** -56 };

function limits<E>(m: Arithmetic<E>, x: E): Limits {
  return isSingle(m, x) ? float32 : float64;
}

/** `x = k ln 2 + high - low` with a whole k, |high - low| at most half of ln 2, and `high` exact. */
function reduce<E>(m: Arithmetic<E>, x: E): { k: E; high: E; low: E } {
  const [ln2High, ln2Low] = precisionOf(m, x).ln2;
  const k = m.nearest(m.mul(x, Math.LOG2E));
  return { k, high: m.sub(x, m.mul(k, ln2High)), low: m.mul(k, ln2Low) };
}

/** Relative error below 2^-26 of e^r - 1; found by Remez exchange on [-0.3467, 0.3467], rounded one by one. */
const single = [0.49999997, 0.16666539, 0.041667752, 0.00836710539, 0.00138367678];

/** The coefficients of fdlibm's e_exp.c: r - r^2 P(r^2) is 2 (e^r - 1) / (e^r + 1) within 2^-59. */
const double = [
  1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
  4.13813679705723846039e-8,
];

/** `e^r - 1 - r` for |r| up to half of ln 2. */
function remainder<E>(m: Arithmetic<E>, r: E): E {
  const square = m.mul(r, r);
  if (isSingle(m, r)) return m.mul(square, polynomial(m, r, single));
  const c = m.sub(r, m.mul(square, polynomial(m, square, double)));
  return m.div(m.mul(r, c), m.sub(2, c));
}

/** `e^r` for |r| up to half of ln 2. */
export function expNearZero<E>(m: Arithmetic<E>, r: E): E {
  return m.add(m.add(remainder(m, r), r), 1);
}

/** `e^x` between the limits `least` and `largest`. */
function expWithin<E>(m: Arithmetic<E>, x: E): E {
  const { k, high, low } = reduce(m, x);
  // 2^k alone may overflow or vanish; its half powers are normal, and only the last product rounds.
  const half = m.floor(m.mul(k, 0.5));
  const most = m.mul(expNearZero(m, m.sub(high, low)), m.power2(half));
  return m.mul(most, m.power2(m.sub(k, half)));
}

/** `e^x` for |x| up to 80. */
export function expModerate<E>(m: Arithmetic<E>, x: E): E {
  const { k, high, low } = reduce(m, x);
  return m.mul(expNearZero(m, m.sub(high, low)), m.power2(k));
}

/** `(e^x - 1) / 2` between the limits `flat` and `largest`. */
function halfExpm1<E>(m: Arithmetic<E>, x: E): E {
  const { k, high, low } = reduce(m, x);
  const rest = m.sub(remainder(m, m.sub(high, low)), low);
  // 2^k may overflow where the result does not.
  const half = m.power2(m.sub(k, 1));
  return m.add(m.add(m.sub(half, 0.5), m.mul(half, high)), m.mul(half, rest));
}

/** The exponential function. */
export const exp: Body = named("exp", (m, x) => {
  const { least, largest } = limits(m, x!);
  // Processors take three times as long for products that vanish; what a mask has made small is left out of them.
  const vanishes = m.lt(x!, least);
  return m.select(vanishes, 0, expWithin(m, m.select(vanishes, 0, m.pmin(x!, largest))));
});

/** `e^x - 1`, accurate near 0 too. */
export const expm1: Body = named("expm1", (m, x) => {
  const { flat, largest, tiny } = limits(m, x!);
  const half = halfExpm1(m, m.pmin(m.pmax(x!, flat), largest));
  return m.select(m.lt(m.abs(x!), tiny), x!, m.add(half, half));
});

/** The hyperbolic tangent, `u / (u + 1)` with `u = (e^2|x| - 1) / 2`. */
export const tanh: Body = named("tanh", (m, x) => {
  const magnitude = m.abs(x!);
  // Beyond 20 the result is 1 in either dtype.
  const u = halfExpm1(m, m.pmin(m.add(magnitude, magnitude), 40));
  const quotient = m.div(u, m.add(u, 1));
  // u - u^2 / (u + 1) hides the roundings of the quotient where u is small.
  return m.copysign(m.select(m.lt(u, 0.5), m.sub(u, m.mul(u, quotient)), quotient), x!);
});

/** `1 / (1 + e^-x)`. */
export const sigmoid: Body = named("sigmoid", (m, x) => {
  const e = expWithin(m, m.pmax(m.neg(m.abs(x!)), limits(m, x!).least));
  const quotient = m.div(m.select(m.lt(x!, 0), e, 1), m.add(e, 1));
  if (isSingle(m, x!)) return quotient;
  // e - e^2 / (e + 1) hides the roundings of the quotient where e is small.
  return m.select(m.lt(x!, -0.7), m.sub(e, m.mul(e, quotient)), quotient);
});
