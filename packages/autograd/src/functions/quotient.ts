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

/** The rest of the division of numbers from 0 on: exact if the quotient fills less than their digits, and they are not huge. */
function nearRest<E>(m: Arithmetic<E>, x: E, y: E): E {
  const multiple = product(m, m.trunc(m.div(x, y)), y);
  const rest = m.sub(m.sub(x, multiple.high), multiple.low);
  // The quotient may have been rounded up to a whole number.
  return m.select(m.lt(rest, 0), m.add(rest, y), rest);
}

/** A number from 0 on as a whole number of 53 bits times a power of two, both float64. */
function wholeTimesPower<E>(m: Arithmetic<E>, x: E): readonly [whole: E, exponent: E] {
  let whole = m.convert(x, "float64");
  let exponent = m.constant(0, "float64");
  // The exponents of subnormal numbers are known once these are whole.
  for (let i = 0; i < 2; i++) {
    const bits = m.sub(52, m.exponent(whole));
    whole = m.scale2(whole, bits);
    exponent = m.sub(exponent, bits);
  }
  return [whole, exponent];
}

/** The rest of any division of numbers from 0 on, exactly: the power of two between them is worked off by 50 bits at a time. */
const farRest: Body = (m, x, y) => {
  let [rest, place] = wholeTimesPower(m, x!);
  const [divisor, exponent] = wholeTimesPower(m, y!);
  for (let i = isSingle(m, x!) ? 6 : 42; i > 0; i--) {
    const bits = m.pmin(m.sub(place, exponent), 50);
    rest = nearRest(m, m.mul(rest, m.power2(bits)), divisor);
    place = m.sub(place, bits);
  }
  return m.convert(m.scale2(rest, exponent), m.dtypeOf(x!));
};

/** The rest of the division of `x` by `y` with the sign of `x`, exactly, as C's fmod. */
export const fmod: Body = named("fmod", (m, x, y) => {
  if (isInteger(m, x!)) return ofIntegers(m, x!, y!, (a, b) => m.sub(a, m.mul(m.trunc(m.div(a, b)), b)));
  const [a, b] = [m.abs(x!), m.abs(y!)];
  const [quotient, size] = isSingle(m, x!) ? [2 ** 21, 2 ** 115] : [2 ** 50, 2 ** 990];
  const isFar = m.or(m.le(m.mul(b, quotient), a), m.lt(size, a));
  const rest = m.rare(isFar, nearRest(m, a, b), farRest, a, b);
  return m.select(m.lt(a, b), x!, m.copysign(rest, x!));
});

/** Is `rest` not 0, and of another sign than `y`? */
function hasOtherSign<E>(m: Arithmetic<E>, rest: E, y: E): E {
  return m.and(m.ne(rest, 0), m.ne(m.lt(rest, 0), m.lt(y, 0)));
}

/** The rest of the division of `x` by `y` with the sign of `y`. */
export const remainder: Body = named("remainder", (m, x, y) => {
  if (isInteger(m, x!)) return ofIntegers(m, x!, y!, (a, b) => m.sub(a, m.mul(m.floor(m.div(a, b)), b)));
  const rest = fmod(m, x!, y!);
  return m.select(hasOtherSign(m, rest, y!), m.add(rest, y!), rest);
});

/** The whole number below `x / y`, from the exact rest, so that a quotient rounded up does not count. */
export const floorDivide: Body = named("floorDivide", (m, x, y) => {
  if (isInteger(m, x!)) {
    const whole = ofIntegers(m, x!, y!, (a, b) => m.floor(m.div(a, b)));
    // -2^31 has no opposite, and wraps around to itself.
    return m.select(m.eq(y!, -1), m.neg(x!), whole);
  }
  const rest = fmod(m, x!, y!);
  const even = m.div(m.sub(x!, rest), y!);
  const down = m.select(hasOtherSign(m, rest, y!), m.sub(even, 1), even);
  return m.select(m.eq(y!, 0), m.div(x!, y!), m.copysign(m.nearest(down), m.div(x!, y!)));
});
