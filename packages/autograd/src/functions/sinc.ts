import type { Arithmetic, Body } from "../arithmetic.ts";
import { inDouble, polynomial, raised } from "./precision.ts";
import { cos, sin } from "./trigonometric.ts";

/** The sine, or a derivative of it of order n, of pi x, from an exact distance to the nearest half of a whole number. */
function sineOfTurns<E>(m: Arithmetic<E>, x: E, n: number): E {
  const quarters = m.nearest(m.mul(x, 2));
  const angle = m.mul(m.sub(x, m.mul(quarters, 0.5)), Math.PI);
  const rest = (whole: E): E => m.sub(whole, m.mul(m.floor(m.mul(whole, 0.25)), 4));
  // What is added to a huge number of quarters is lost.
  const quadrant = rest(m.add(rest(quarters), n % 4));
  const odd = m.or(m.eq(quadrant, 1), m.eq(quadrant, 3));
  const result = m.select(odd, cos(m, angle), sin(m, angle));
  return m.select(m.le(2, quadrant), m.neg(result), result);
}

/**
 * The n-th derivative of `sin(u) / u` for |u| up to `2 + n / 2`, by its power series: (-1)^k u^(2k - n) / ((2k + 1) (2k - n)!).
 */
function nearZero<E>(m: Arithmetic<E>, u: E, n: number, reach: number): E {
  const coefficients: number[] = [];
  const first = Math.ceil(n / 2);
  let size = 1;
  for (let k = first; size > 2 ** -60; k++) {
    let factorial = 1;
    for (let i = 2; i <= 2 * k - n; i++) factorial *= i;
    coefficients.push((k % 2 === 0 ? 1 : -1) / ((2 * k + 1) * factorial));
    size = raised(reach, 2 * k - n) / factorial;
    // The terms grow at first.
    if (2 * k - n < reach) size = 1;
  }
  const even = polynomial(m, m.mul(u, u), coefficients);
  return n % 2 === 0 ? even : m.mul(u, even);
}

/**
 * The n-th derivative of `sin(pi x) / (pi x)`: near 0 a series, else from `u f(n) + n f(n - 1) = sin(n)`, which is what n
 * derivatives of `u f = sin` are (superscripts in parentheses).
 */
export function sincDerivative(n: number): Body {
  const reach = 2 + n / 2;
  return inDouble(n === 0 ? "sinc" : `sinc(${n})`, (m, x) => {
    const u = m.mul(x!, Math.PI);
    const series = nearZero(m, m.pmin(m.pmax(u, -reach), reach), n, reach);
    let far = m.div(sineOfTurns(m, x!, 0), u);
    for (let k = 1; k <= n; k++) far = m.div(m.sub(sineOfTurns(m, x!, k), m.mul(far, k)), u);
    return m.mul(m.select(m.lt(m.abs(u), reach), series, far), raised(Math.PI, n));
  });
}
