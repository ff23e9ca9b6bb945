import type { Arithmetic } from "../arithmetic.ts";
import type { Sum } from "./precision.ts";
import { orderedSum, product } from "./precision.ts";

/** An angle as `quarters * pi / 2 + high + low` with the rest at most pi / 4 or so; only quarters modulo 4 counts. */
export interface Angle<E> {
  readonly quarters: E;
  readonly rest: Sum<E>;
}

/** pi / 2 in three parts; the first two have 33 bits, so that a multiple up to 2^20 is exact. */
const parts = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

/** Up to here `moderateAngle` serves: about 2^19 pi. */
export const moderate = 1.6e6;

/** The float64 angle `x`, |x| up to `moderate`, less a multiple of pi / 2 (W. J. Cody and W. Waite, 1980). */
export function moderateAngle<E>(m: Arithmetic<E>, x: E): Angle<E> {
  const quarters = m.nearest(m.mul(x, 2 / Math.PI));
  const first = m.sub(x, m.mul(quarters, parts[0]));
  const next = m.mul(quarters, parts[1]);
  const second = m.sub(first, next);
  const lost = m.sub(m.sub(first, second), next);
  const last = m.sub(m.mul(quarters, parts[2]), lost);
  const high = m.sub(second, last);
  return { quarters, rest: { high, low: m.sub(m.sub(second, high), last) } };
}

const digit = 2 ** 24;

let known: readonly number[] | undefined;

/** 2 / pi in 52 digits of 24 bits after four zeros: pi is 16 arctan(1/5) - 4 arctan(1/239) (J. Machin, 1706). */
function twoOverPi(): readonly number[] {
  if (known) return known;
  const bits = 1280;
  const one = 1n << BigInt(bits);
  const arctan = (n: bigint, terms: number): bigint => {
    let sum = 0n;
    for (let k = terms; k >= 0; k--) sum = one / BigInt(2 * k + 1) - sum / (n * n);
    return sum / n;
  };
  const ratio = (one * one) / (8n * arctan(5n, 275) - 2n * arctan(239n, 80));
  const after = (places: number) => Number(BigInt.asUintN(24, ratio >> BigInt(bits - 24 * places)));
  known = Array.from({ length: 56 }, (_, i) => (i < 4 ? 0 : after(i - 3)));
  return known;
}

/**
 * Any finite float64 angle of at least 1, less a multiple of pi / 2: the method of M. Payne and R. Hanek (SIGNUM
 * Newsletter 18, 1983). Multiplies x by the digits of 2 / pi that matter: earlier ones make whole turns, later ones less
 * than 2^-142, where no product of a float64 with 2 / pi comes nearer to a whole number than 2^-62.
 */
export function hugeAngle<E>(m: Arithmetic<E>, x: E): Angle<E> {
  // From 0 to 42 whatever x is, so that the digits exist.
  const place = m.pmax(m.floor(m.mul(m.exponent(x), 1 / 24)), 0);
  const sums = significantProduct(m, x, place);
  // Carry, so that sums[1], sums[2], ... are digits after the point.
  for (let i = sums.length - 1; i > 0; i--) {
    const carry = m.floor(m.mul(sums[i]!, 1 / digit));
    sums[i] = m.sub(sums[i]!, m.mul(carry, digit));
    sums[i - 1] = m.add(sums[i - 1]!, carry);
  }
  const half = m.le(digit / 2, sums[1]!);
  const whole = m.add(sums[0]!, m.select(half, m.constant(1, "float64"), 0));
  const quarters = m.sub(whole, m.mul(m.floor(m.mul(whole, 1 / 4)), 4));
  sums[1] = m.sub(sums[1]!, m.select(half, m.constant(digit, "float64"), 0));
  const pair = (i: number): E => m.mul(m.add(m.mul(sums[i]!, digit), sums[i + 1]!), 2 ** (-24 * (i + 1)));
  const top = orderedSum(m, pair(1), pair(3));
  return { quarters, rest: timesHalfPi(m, orderedSum(m, top.high, m.add(top.low, pair(5)))) };
}

/** The sums of products of digits of x and of 2 / pi with weights 2^0, 2^-24, ... 2^-168. */
function significantProduct<E>(m: Arithmetic<E>, x: E, place: E): E[] {
  let left = m.scale2(x, m.mul(place, -24));
  const digits: E[] = [];
  for (let i = 0; i < 4; i++) {
    const whole = m.trunc(left);
    digits.push(whole);
    left = m.mul(m.sub(left, whole), digit);
  }
  const ratio = twoOverPi();
  const first = m.convert(place, "int32");
  const factor = (offset: number): E => m.table(ratio, m.add(first, offset + 3), "float64");
  const factors = Array.from({ length: 11 }, (_, i) => factor(i - 3));
  return Array.from({ length: 8 }, (_, i) =>
    digits.map((d, j) => m.mul(d, factors[i - j + 3]!)).reduce((a, b) => m.add(a, b)),
  );
}

function timesHalfPi<E>(m: Arithmetic<E>, { high, low }: Sum<E>): Sum<E> {
  const main = product(m, high, m.constant(Math.PI / 2, "float64"));
  const rest = m.add(m.mul(high, 6.123233995736766e-17), m.mul(low, Math.PI / 2));
  return orderedSum(m, main.high, m.add(main.low, rest));
}
