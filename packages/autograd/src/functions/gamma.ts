import type { Arithmetic, Body } from "../arithmetic.ts";
import { log, log1p } from "./logarithm.ts";
import { inDouble, polynomial, raised } from "./precision.ts";
import { cos, sin } from "./trigonometric.ts";

const logPi = 1.1447298858494002;
const logTwoPi = 1.8378770664093456;

/** The gamma function's logarithm and the derivatives of that. DLMF is the Digital Library of Mathematical Functions. */

/**
 * `log gamma(1 + t) + log(1 + t)` over t, for |t| up to a half: 1 less Euler's constant, then (-1)^k (zeta(k) - 1) / k for k = 2,
 * 3, ... (DLMF 5.7.3).
 */
const nearTwo = [
  0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
  0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
  9.945751278180853e-5, -4.492623673813314e-5, 2.050721277567069e-5, -9.439488275268397e-6,
  4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7, -4.492469198764566e-7,
  2.1207184805554665e-7, -1.0043224823968099e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9,
  5.731367241678862e-10, -2.7595228851242334e-10,
];

/** `log gamma(1 + t)` for |t| up to a half. */
export function logGammaNearOne<E>(m: Arithmetic<E>, t: E): E {
  return m.sub(m.mul(t, polynomial(m, t, nearTwo)), log1p(m, t));
}

/** Bernoulli's numbers B(2), B(4), ... B(20). */
const bernoulli = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
];

/** B(2k) / (2k (2k - 1)), Stirling's series for the logarithm from 8 on (DLMF 5.11.1). */
const stirling = bernoulli.slice(0, 9).map((b, i) => b / ((2 * i + 2) * (2 * i + 1)));

/** `x` less the nearest whole number, which is exact, and so good for sines and cotangents of pi x. */
function fromWhole<E>(m: Arithmetic<E>, x: E): E {
  return m.sub(x, m.nearest(x));
}

/** `log gamma(x)` for positive x, by Stirling's series from 8 on. */
function logGamma<E>(m: Arithmetic<E>, x: E): E {
  let argument = m.pmin(x, 8);
  // gamma(x) = (x - 1) (x - 2) ... gamma(argument), with an argument up to 2.5.
  let factor = m.constant(1, "float64");
  for (let i = 0; i < 6; i++) {
    const large = m.le(2.5, argument);
    const less = m.sub(argument, 1);
    factor = m.select(large, m.mul(factor, less), factor);
    argument = m.select(large, less, argument);
  }
  const [small, large, far] = [m.lt(argument, 0.5), m.le(1.5, argument), m.le(8, x)];
  const t = m.select(large, m.sub(argument, 2), m.select(small, argument, m.sub(argument, 1)));
  // The series near 2 serves at 1 + t too, less log(1 + t); and gamma(t) is gamma(1 + t) / t.
  const below = m.select(small, m.mul(t, m.add(t, 1)), argument);
  // One logarithm of what the element needs takes a third of the time of three.
  const logarithm = log(m, m.select(far, x, m.select(large, factor, below)));
  const near = m.mul(t, polynomial(m, t, nearTwo));
  const inverse = m.div(1, m.pmax(x, 8));
  const series = m.mul(inverse, polynomial(m, m.mul(inverse, inverse), stirling));
  const main = m.mul(m.sub(x, 0.5), m.sub(logarithm, 1));
  const stirlings = m.add(main, m.add(series, logTwoPi / 2 - 0.5));
  return m.select(far, stirlings, m.add(near, m.select(large, logarithm, m.neg(logarithm))));
}

/** Below 0 by reflection: gamma(x) gamma(1 - x) = pi / sin(pi x). */
const reflectedLogGamma: Body = (m, x, positive) => {
  const sine = m.abs(sin(m, m.mul(fromWhole(m, x!), Math.PI)));
  return m.sub(m.sub(logPi, log(m, sine)), positive!);
};

/** The logarithm of |gamma(x)|. */
export const lgamma: Body = inDouble("lgamma", (m, x) => {
  const negative = m.lt(x!, 0);
  const positive = logGamma(m, m.select(negative, m.sub(1, x!), x!));
  const finite = m.rare(negative, positive, reflectedLogGamma, x!, positive);
  const infinite = m.or(m.eq(m.abs(x!), Infinity), m.and(m.le(x!, 0), m.eq(m.floor(x!), x!)));
  return m.select(infinite, Infinity, m.select(m.eq(x!, x!), finite, x!));
});

/** `cot(pi x)`. */
function cotangent<E>(m: Arithmetic<E>, x: E): E {
  const angle = m.mul(fromWhole(m, x), Math.PI);
  return m.div(cos(m, angle), sin(m, angle));
}

/** How far the recurrence shifts, so that the asymptotic series for order n is good to the last place. */
const shiftFor = (n: number): number => 10 + n;

/** psi(x), the derivative of log gamma: DLMF 5.5.2 (recurrence), 5.11.2 (asymptotic), 5.5.4 (reflection). */
export const digamma: Body = inDouble("digamma", (m, x) => {
  const negative = m.lt(x!, 0);
  const mirrored = m.select(negative, m.sub(1, x!), x!);
  let sum = m.div(1, mirrored);
  for (let k = 1; k < shiftFor(0); k++) sum = m.add(sum, m.div(1, m.add(mirrored, k)));
  const shifted = m.add(mirrored, shiftFor(0));
  const inverse = m.div(1, shifted);
  const series = polynomial(
    m,
    m.mul(inverse, inverse),
    bernoulli.map((b, i) => b / (2 * i + 2)),
  );
  const rest = m.mul(inverse, m.add(m.mul(inverse, series), 0.5));
  const positive = m.sub(m.sub(log(m, shifted), rest), sum);
  const pole = m.and(negative, m.eq(m.floor(x!), x!));
  return m.select(pole, NaN, m.rare(negative, positive, reflectedDigamma, x!, positive));
});

const reflectedDigamma: Body = (m, x, positive) => m.sub(positive!, m.mul(cotangent(m, x!), Math.PI));

/** `x^n` for a whole n above 0, by squaring. */
function wholePower<E>(m: Arithmetic<E>, x: E, n: number): E {
  if (n === 1) return x;
  const half = wholePower(m, x, Math.floor(n / 2));
  const even = m.mul(half, half);
  return n % 2 === 0 ? even : m.mul(even, x);
}

/** n! zeta(n + 1, x), Hurwitz's zeta function for positive x by Euler's and Maclaurin's sum (DLMF 25.11.5 with 2.10.1). */
function scaledZeta<E>(m: Arithmetic<E>, n: number, x: E): E {
  let sum = wholePower(m, m.div(1, x), n + 1);
  for (let k = 1; k < shiftFor(n); k++) sum = m.add(sum, wholePower(m, m.div(1, m.add(x, k)), n + 1));
  const inverse = m.div(1, m.add(x, shiftFor(n)));
  // B(2k) / (2k)! times (n + 1) (n + 2) ... (n + 2k - 1)
  let ratio = (n + 1) / 2;
  const coefficients = bernoulli.map((b, i) => {
    const coefficient = b * ratio;
    ratio *= ((n + 2 * i + 2) * (n + 2 * i + 3)) / ((2 * i + 3) * (2 * i + 4));
    return coefficient;
  });
  const series = polynomial(m, m.mul(inverse, inverse), coefficients);
  const tail = m.add(m.mul(inverse, m.add(m.mul(inverse, series), 0.5)), 1 / n);
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return m.mul(m.add(sum, m.mul(wholePower(m, inverse, n), tail)), factorial);
}

/** `-pi` times the n-th derivative of `cot(pi x)`, n above 0: a polynomial in the cotangent, whose terms have one sign. */
function reflection<E>(m: Arithmetic<E>, n: number, x: E): E {
  // cot' = -(1 + cot^2), so that each derivative of P(cot) is -(1 + cot^2) P'(cot).
  let coefficients = [0, 1];
  const derivative = (): number[] => coefficients.slice(1).map((c, i) => c * (i + 1));
  for (let k = 1; k < n; k++) {
    const slope = derivative();
    const at = (i: number): number => slope[i] ?? 0;
    coefficients = Array.from({ length: slope.length + 2 }, (_, i) => -(at(i) + at(i - 2)));
  }
  const c = cotangent(m, x);
  const square = m.mul(c, c);
  const first = (n + 1) % 2;
  const terms = derivative().filter((_, i) => i % 2 === first);
  const even = polynomial(
    m,
    square,
    terms.map((term) => term * raised(Math.PI, n + 1)),
  );
  return m.mul(m.add(square, 1), first === 1 ? m.mul(c, even) : even);
}

/** The n-th derivative of psi, n above 0: DLMF 5.15.1 and the derivatives of 5.5.4. */
export function polygamma(n: number): Body {
  return inDouble(`polygamma(${n})`, (m, x) => {
    const negative = m.lt(x!, 0);
    const zeta = scaledZeta(m, n, m.select(negative, m.sub(1, x!), x!));
    const reflected: Body = (m, x, zeta) => m.sub(reflection(m, n, x!), zeta!);
    const regular = m.rare(negative, n % 2 === 1 ? zeta : m.neg(zeta), reflected, x!, zeta);
    const pole = m.and(m.and(m.le(x!, 0), m.lt(-Infinity, x!)), m.eq(m.floor(x!), x!));
    return m.select(pole, n % 2 === 1 ? Infinity : -Infinity, regular);
  });
}
