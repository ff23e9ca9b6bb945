import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { expModerate } from "./exponential.ts";
import { isSingle, polynomial } from "./precision.ts";

/**
 * `near`: erf(x) is x + x P(x^2) or, with a denominator, x + x P(x^2) / Q(x^2), up to `border`.
 * `far`: log(1 - erf(x)) is P(x) from there to `end`, where the result becomes 1.
 */
const float32 = {
  border: 0.8,
  // Relative error 2^-28, and far 2^-28.5 of erf: both by Remez exchange, then rounded.
  near: [0.128379166, -0.376126081, 0.112831622, -0.0268222429, 0.00508686528, -0.000654224074],
  denominator: undefined,
  far: [
    -5.77566461e-5, -1.12826574, -0.636155069, -0.104861692, 0.0226885937, -0.00316224759, 0.000208384386,
  ],
  end: 4,
} as const;
const float64 = {
  border: 0.84375,
  // The coefficients of Sun's s_erf.c: relative error 2^-59.
  near: [
    1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2,
    -5.77027029648944159157e-3, -2.37630166566501626084e-5,
  ],
  denominator: [
    1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3,
    1.32494738004321644526e-4, -3.9602282787753681232e-6,
  ],
  // 2^-57.7 of erf, by Remez exchange.
  far: [
    -3.624232301196474e-8, -1.1283787778779852, -0.6366216691614307, -0.10276712443024276,
    0.019118309621466642, 0.00022075496312927044, -0.0017012155669070017, 0.0005811864062535796,
    -2.862660655470099e-6, -9.373654894920571e-5, 5.542480980853279e-5, -2.0189497798576736e-5,
    5.3546912157143424e-6, -1.074514469695096e-6, 1.629034435237644e-7, -1.81715962366863e-8,
    1.4103352919462429e-9, -6.808232850721765e-11, 1.5393863063714379e-12,
  ],
  end: 6,
} as const;

function erfNearZero<E>(m: Arithmetic<E>, x: E): E {
  const { near, denominator } = isSingle(m, x) ? float32 : float64;
  const square = m.mul(x, x);
  const numerator = polynomial(m, square, near);
  const slope = denominator ? m.div(numerator, polynomial(m, square, denominator)) : numerator;
  return m.add(x, m.mul(x, slope));
}

/** The error function. */
export const erf: Body = named("erf", (m, x) => {
  const { border, far, end } = isSingle(m, x!) ? float32 : float64;
  const magnitude = m.abs(x!);
  const distant = m.sub(1, expModerate(m, polynomial(m, m.pmin(magnitude, end), far)));
  return m.select(m.lt(magnitude, border), erfNearZero(m, x!), m.copysign(distant, x!));
});
