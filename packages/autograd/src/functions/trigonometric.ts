import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import type { Angle } from "./angle.ts";
import { hugeAngle, moderate, moderateAngle } from "./angle.ts";
import type { Sum } from "./precision.ts";
import { isSingle, polynomial } from "./precision.ts";

/** Coefficients of fdlibm's k_sin.c and k_cos.c: sine within 2^-58, cosine within 2^-58, both up to pi / 4. */
const sine = [
  -1.66666666666666324348e-1, 8.33333333332248946124e-3, -1.98412698298579493134e-4,
  2.75573137070700676789e-6, -2.50507602534068634195e-8, 1.58969099521155010221e-10,
] as const;
const cosine = [
  4.16666666666666019037e-2, -1.38888888888741095749e-3, 2.48015872894767294178e-5,
  -2.75573143513906633035e-7, 2.0875723212981748279e-9, -1.13596475577881948265e-11,
] as const;

/** The sine of `high + low`, at most pi / 4. */
function sineNearZero<E>(m: Arithmetic<E>, { high, low }: Sum<E>): E {
  const square = m.mul(high, high);
  const cube = m.mul(square, high);
  const tail = polynomial(m, square, sine.slice(1));
  const rest = m.sub(m.mul(square, m.sub(m.mul(low, 0.5), m.mul(cube, tail))), low);
  return m.sub(high, m.sub(rest, m.mul(cube, sine[0])));
}

/** The cosine of `high + low`, at most pi / 4. */
function cosineNearZero<E>(m: Arithmetic<E>, { high, low }: Sum<E>): E {
  const square = m.mul(high, high);
  const half = m.mul(square, 0.5);
  const main = m.sub(1, half);
  const tail = m.mul(m.mul(square, square), polynomial(m, square, cosine));
  return m.add(main, m.add(m.sub(m.sub(1, main), half), m.sub(tail, m.mul(high, low))));
}

/** Whether the whole number `x` has the bit `bit`. */
function hasBit<E>(m: Arithmetic<E>, x: E, bit: number): E {
  return m.ne(m.and(x, bit), 0);
}

/** The sine of an angle `turned` a number of quarters on. */
function sineOfAngle<E>(m: Arithmetic<E>, { quarters, rest }: Angle<E>, turned: number): E {
  const quadrant = m.add(m.convert(quarters, "int32"), turned);
  const result = m.select(hasBit(m, quadrant, 1), cosineNearZero(m, rest), sineNearZero(m, rest));
  return m.select(hasBit(m, quadrant, 2), m.neg(result), result);
}

function double(turned: number): Body {
  const slow: Body = (m, x) => sineOfAngle(m, hugeAngle(m, x!), turned);
  return (m, x) => {
    const fast = sineOfAngle(m, moderateAngle(m, x!), turned);
    return m.rare(m.lt(moderate, m.abs(x!)), fast, slow, x!);
  };
}

/** pi in four parts; the first three have 11 bits, so that a multiple by 13 bits is exact. */
const pi = [3.140625, 0.0009675025939941406, 1.5099067240953445e-7, 5.126688136514179e-12] as const;

/** sin(r) is r + r^3 P(r^2) within 2^-27 up to pi / 2: by Remez exchange, then rounded. */
const singleSine = [-0.166666597, 0.00833306927, -0.000198097769, 2.60609568e-6];

/** `x - multiple * pi`, for float32 multiples by up to 13 bits. */
function lessPi<E>(m: Arithmetic<E>, x: E, multiple: E): E {
  const exact = m.sub(m.sub(x, m.mul(multiple, pi[0])), m.mul(multiple, pi[1]));
  const next = m.mul(multiple, pi[2]);
  const rounded = m.sub(exact, next);
  const lost = m.sub(m.sub(exact, rounded), next);
  return m.sub(rounded, m.sub(m.mul(multiple, pi[3]), lost));
}

/** The sine of a float32 up to pi / 2. */
function singleSineNearZero<E>(m: Arithmetic<E>, r: E): E {
  const square = m.mul(r, r);
  return m.add(r, m.mul(r, m.mul(square, polynomial(m, square, singleSine))));
}

/** Reducing by whole multiples of pi needs one series only; half ones turn the sine into a cosine. */
function single(turned: 0 | 1): Body {
  const slow: Body = (m, x) => m.convert(double(turned)(m, m.convert(x!, "float64")), "float32");
  return (m, x) => {
    const turns = m.mul(x!, 1 / Math.PI);
    const whole = m.nearest(turned ? m.sub(turns, 0.5) : turns);
    const result = singleSineNearZero(m, lessPi(m, x!, turned ? m.add(whole, 0.5) : whole));
    const odd = hasBit(m, m.convert(whole, "int32"), 1);
    const negated = m.neg(result);
    const fast = turned ? m.select(odd, result, negated) : m.select(odd, negated, result);
    return m.rare(m.lt(12800, m.abs(x!)), fast, slow, x!);
  };
}

const [sineSingle, sineDouble, cosineSingle, cosineDouble] = [single(0), double(0), single(1), double(1)];

/** The sine of an angle in radians. */
export const sin: Body = named("sin", (m, x) => {
  const result = isSingle(m, x!) ? sineSingle(m, x!) : sineDouble(m, x!);
  // Here x is the answer, and keeps the sign of zero.
  return m.select(m.lt(m.abs(x!), isSingle(m, x!) ? 2 ** -12 : 2 ** -27), x!, result);
});

/** The cosine of an angle in radians. */
export const cos: Body = named("cos", (m, x) => (isSingle(m, x!) ? cosineSingle : cosineDouble)(m, x!));
