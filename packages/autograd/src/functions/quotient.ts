import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { isSingle, product } from "./precision.ts";

/**
 * A function of two float64 numbers for int32 ones, which all are float64 numbers: no quotient of them is so near to a whole
 * number that it would be rounded to it. 0 where `y` is 0, since a body cannot throw.
 */
function ofIntegers<E>(m: Arithmetic<E>, x: E, y: E, f: (x: E, y: E) => E): E {
  const result = f(m.convert(x, "float64"), m.convert(y, "float64"));
  return m.select(m.eq(y, 0), 0, m.convert(result, "int32"));
}

const isInteger = <E>(m: Arithmetic<E>, x: E): boolean => m.dtypeOf(x) === "int32";

/** `x` less a multiple of `y`: exact, since the rest has no more digits than either, and the product comes in two parts. */
function reduced<E>(m: Arithmetic<E>, x: E, y: E): E {
  const { high, low } = product(m, m.trunc(m.div(x, y)), y);
  return m.sub(m.sub(x, high), low);
}

/**
 * The rest of the division of `x` by `y` with the sign of `x`, as C's fmod: exact where the quotient is below 2^48
 * (float32) or 2^106.
 */
export const fmod: Body = named("fmod", (m, x, y) => {
  if (isInteger(m, x!)) return ofIntegers(m, x!, y!, (a, b) => m.sub(a, m.mul(m.trunc(m.div(a, b)), b)));
  // Products are taken apart into halves, which overflow for huge numbers and vanish for tiny ones.
  const [huge, tiny] = isSingle(m, x!) ? [2 ** 100, 2 ** -60] : [2 ** 960, 2 ** -900];
  const size = m.abs(y!);
  const one = m.constant(1, m.dtypeOf(x!));
  const isHuge = m.lt(huge, size);
  const isTiny = m.lt(size, tiny);
  const scale = m.select(isHuge, 2 ** -50, m.select(isTiny, 2 ** 50, one));
  const back = m.select(isHuge, 2 ** 50, m.select(isTiny, 2 ** -50, one));
  const divisor = m.mul(size, scale);
  const rest = reduced(m, reduced(m, m.mul(m.abs(x!), scale), divisor), divisor);
  // The quotient may have been rounded up to a whole number.
  const positive = m.select(m.lt(rest, 0), m.add(rest, divisor), rest);
  const result = m.select(m.lt(m.abs(x!), size), x!, m.copysign(m.mul(positive, back), x!));
  return m.select(m.or(m.ne(y!, y!), m.eq(m.abs(x!), Infinity)), NaN, result);
});

/** The rest of the division of `x` by `y` with the sign of `y`. */
export const remainder: Body = named("remainder", (m, x, y) => {
  if (isInteger(m, x!)) return ofIntegers(m, x!, y!, (a, b) => m.sub(a, m.mul(m.floor(m.div(a, b)), b)));
  const rest = fmod(m, x!, y!);
  const other = m.ne(m.lt(rest, 0), m.lt(y!, 0));
  return m.select(m.eq(rest, 0), rest, m.select(other, m.add(rest, y!), rest));
});

/** The whole number below `x / y`, from the exact rest, so that a quotient rounded up does not count. */
export const floorDivide: Body = named("floorDivide", (m, x, y) => {
  if (isInteger(m, x!)) return ofIntegers(m, x!, y!, (a, b) => m.floor(m.div(a, b)));
  const rest = fmod(m, x!, y!);
  const even = m.div(m.sub(x!, rest), y!);
  const other = m.ne(m.lt(rest, 0), m.lt(y!, 0));
  const down = m.select(m.eq(rest, 0), even, m.select(other, m.sub(even, 1), even));
  return m.select(m.eq(y!, 0), m.div(x!, y!), m.copysign(m.nearest(down), m.div(x!, y!)));
});
