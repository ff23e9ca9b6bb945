import type { Arithmetic, Body } from "../arithmetic.ts";
import { named } from "../arithmetic.ts";
import { log } from "./logarithm.ts";
import { inDouble, polynomial } from "./precision.ts";

/**
 * The coefficients of algorithm AS 241, PPND16 (M. J. Wichura, Appl. Stat. 37, 1988), relative error 1e-16: near the median
 * in 0.180625 - (p - 1/2)^2, in the tails in sqrt(-log p) less 1.6, or less 5 where that is above 5.
 */
const median = {
  numerator: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  denominator: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
};
const tail = {
  numerator: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  denominator: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const farTail = {
  numerator: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  denominator: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

function quotient<E>(m: Arithmetic<E>, x: E, { numerator, denominator }: typeof median): E {
  return m.div(polynomial(m, x, numerator), polynomial(m, x, denominator));
}

/** The quantile of the probability `1/2 + offset`, of which `smaller` is the distance to the nearer of 0 and 1. */
function quantileOf<E>(m: Arithmetic<E>, offset: E, smaller: E): E {
  const near = m.mul(offset, quotient(m, m.sub(0.180625, m.mul(offset, offset)), median));
  const radius = m.sqrt(m.neg(log(m, smaller)));
  const magnitude = m.select(
    m.le(radius, 5),
    quotient(m, m.sub(radius, 1.6), tail),
    quotient(m, m.sub(radius, 5), farTail),
  );
  return m.select(m.le(m.abs(offset), 0.425), near, m.copysign(magnitude, offset));
}

/** Where the standard normal distribution reaches the probability `p`, in float64. */
export const normalQuantile: Body = named("normalQuantile", (m, p) =>
  quantileOf(m, m.sub(p!, 0.5), m.pmin(p!, m.sub(1, p!))),
);

/** The inverse of the error function: the quantile of `(1 + x) / 2` over the root of 2. */
export const erfinv: Body = inDouble("erfinv", (m, x) => {
  const size = m.abs(x!);
  const inside = m.mul(quantileOf(m, m.mul(x!, 0.5), m.mul(m.sub(1, size), 0.5)), Math.SQRT1_2);
  const end = m.select(m.eq(size, 1), m.copysign(Infinity, x!), NaN);
  return m.select(m.lt(size, 1), inside, end);
});
