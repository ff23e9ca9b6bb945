import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";

/** What the functions need to know of a float dtype. */
export interface Precision {
  /** Splits a number into halves whose products are exact: 2^12 + 1 or 2^27 + 1. */
  readonly splitter: number;
  /** Numbers below `small` times 2^lift are normal, and have a reciprocal. */
  readonly small: number;
  readonly lift: number;
  /** ln 2 in two parts; the product of the first and an exponent is exact. */
  readonly ln2: readonly [number, number];
}

const float32: Precision = {
  splitter: 2 ** 12 + 1,
  small: 2 ** -100,
  lift: 64,
  ln2: [0.693145751953125, 1.428606765330187e-6],
};
const float64: Precision = {
  splitter: 2 ** 27 + 1,
  small: 2 ** -1000,
  lift: 128,
  ln2: [0.6931471806019545, -4.2009150726810846e-11],
};

/** Whether `x` is computed in float32; otherwise it is float64. */
export function isSingle<E>(m: Arithmetic<E>, x: E): boolean {
  return m.dtypeOf(x) === "float32";
}

export function precisionOf<E>(m: Arithmetic<E>, x: E): Precision {
  return isSingle(m, x) ? float32 : float64;
}

/** The body computed in float64 whatever the operands are, then rounded to their dtype. */
export function inDouble(name: string, body: Body): Body {
  return named(name, (m, ...operands) => {
    if (!isSingle(m, operands[0]!)) return body(m, ...operands);
    return m.convert(body(m, ...operands.map((x) => m.convert(x, "float64"))), "float32");
  });
}

/** `x` to a whole power `n` of at least 0, by products: those of JavaScript's engines differ in the last bit. */
export function raised(x: number, n: number): number {
  let power = 1;
  for (let i = 0; i < n; i++) power *= x;
  return power;
}

/** `coefficients[0] + coefficients[1] * x + ...`, by Horner's rule. */
export function polynomial<E>(m: Arithmetic<E>, x: E, coefficients: readonly number[]): E {
  const last = coefficients.length - 1;
  let sum: E | number = coefficients[last]!;
  for (let i = last - 1; i >= 0; i--) sum = m.add(m.mul(sum, x), coefficients[i]!);
  return typeof sum === "number" ? m.constant(sum, m.dtypeOf(x)) : sum;
}

/** A number as an unevaluated sum: `low` is at most half a unit in the last place of `high`. */
export interface Sum<E> {
  readonly high: E;
  readonly low: E;
}

/** `x + y` exactly, where x is zero or no smaller than y (T. J. Dekker, Numerische Mathematik 18, 1971). */
export function orderedSum<E>(m: Arithmetic<E>, x: E | number, y: E): Sum<E> {
  const high = m.add(x, y);
  return { high, low: m.sub(y, m.sub(high, x)) };
}

/** `x` as the sum of two halves, each of half the digits (G. W. Veltkamp, in Dekker 1971). Overflows for huge x. */
export function split<E>(m: Arithmetic<E>, x: E): Sum<E> {
  const high = upperHalf(m, x);
  return { high, low: m.sub(x, high) };
}

/** `x` rounded to half its digits. */
export function upperHalf<E>(m: Arithmetic<E>, x: E): E {
  const c = m.mul(x, precisionOf(m, x).splitter);
  return m.sub(c, m.sub(c, x));
}

/** `x * y` exactly (Dekker 1971), barring overflow and underflow. */
export function product<E>(m: Arithmetic<E>, x: E, y: E): Sum<E> {
  const high = m.mul(x, y);
  const [a, b] = [split(m, x), split(m, y)];
  const rest = m.add(m.add(m.sub(m.mul(a.high, b.high), high), m.mul(a.high, b.low)), m.mul(a.low, b.high));
  return { high, low: m.add(rest, m.mul(a.low, b.low)) };
}
