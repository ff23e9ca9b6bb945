import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { isSingle, polynomial, precisionOf } from "./precision.ts";

/** A positive number as `fraction * 2^k`, the fraction between 1/sqrt 2 and sqrt 2; not for very small ones. */
function normalize<E>(m: Arithmetic<E>, x: E): { k: E; fraction: E } {
  // Overflow is harmless: infinity has the exponent wanted.
  const k = m.exponent(m.mul(x, Math.SQRT2));
  // 2^-k alone may be subnormal.
  return { k, fraction: m.mul(m.mul(x, m.power2(m.sub(2, k))), 0.25) };
}

/** The same for every positive number, subnormals too. */
export function normalizeAny<E>(m: Arithmetic<E>, x: E): { k: E; fraction: E } {
  const { small, lift } = precisionOf(m, x);
  const isSmall = m.lt(x, small);
  const { k, fraction } = normalize(m, m.select(isSmall, m.mul(x, 2 ** lift), x));
  return { k: m.sub(k, m.select(isSmall, m.constant(lift, m.dtypeOf(x)), 0)), fraction };
}

/** log((1 + s) / (1 - s)) is 2 s + s R(s^2): relative error 2^-35, by Remez exchange on |s| <= 0.1716, then rounded. */
const single = [0.666666627, 0.400009751, 0.284984857, 0.242862388];

/** The same within 2^-58: the coefficients of fdlibm's e_log.c. */
const double = [
  6.66666666666673513e-1, 3.999999999940941908e-1, 2.857142874366239149e-1, 2.222219843214978396e-1,
  1.818357216161805012e-1, 1.531383769920937332e-1, 1.479819860511658591e-1,
];

/** `log(fraction * 2^k) + correction`, after fdlibm's e_log.c. */
function logarithm<E>(m: Arithmetic<E>, k: E, fraction: E, correction?: E): E {
  const [ln2High, ln2Low] = precisionOf(m, k).ln2;
  const f = m.sub(fraction, 1);
  const s = m.div(f, m.add(f, 2));
  const square = m.mul(s, s);
  const series = m.mul(square, polynomial(m, square, isSingle(m, k) ? single : double));
  const half = m.mul(m.mul(f, 0.5), f);
  const small = correction === undefined ? m.mul(k, ln2Low) : m.add(m.mul(k, ln2Low), correction);
  const rest = m.sub(half, m.add(m.mul(s, m.add(half, series)), small));
  return m.sub(m.mul(k, ln2High), m.sub(rest, f));
}

/** The values of log at and beyond the ends of its domain; `x` is what the domain is about, `result` holds inside. */
function edges<E>(m: Arithmetic<E>, x: E, result: E): E {
  const inside = m.select(m.lt(x, Infinity), result, x);
  return m.select(m.lt(x, 0), NaN, m.select(m.eq(x, 0), -Infinity, inside));
}

/** The natural logarithm. */
export const log: Body = named("log", (m, x) => {
  const { k, fraction } = normalizeAny(m, x!);
  return edges(m, x!, logarithm(m, k, fraction));
});

/** `log(1 + x)`, accurate near 0 too. */
export const log1p: Body = named("log1p", (m, x) => {
  const sum = m.add(x!, 1);
  const lost = m.div(m.sub(x!, m.sub(sum, 1)), sum);
  const { k, fraction } = normalize(m, sum);
  const result = edges(m, sum, logarithm(m, k, fraction, lost));
  // Here x is the answer, and keeps the sign of zero.
  return m.select(m.lt(m.abs(x!), isSingle(m, x!) ? 2 ** -25 : 2 ** -54), x!, result);
});
