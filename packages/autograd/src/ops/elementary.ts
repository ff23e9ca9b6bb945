import type { Arithmetic, Body } from "../arithmetic.ts";
import { atan as atanBody } from "../functions/inverse.ts";
import { normalizeAny } from "../functions/logarithm.ts";
import * as f from "../functions.ts";
import type { Tensor } from "../graph.ts";
import { partial, singular } from "../graph.ts";
import type { Binary, Unary } from "../signature.ts";
import { eq, le, logicalAnd } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { add, chain, div, log, mul, neg, sigmoid, sqrt, square, sub, where } from "./pointwise.ts";
import { within } from "./sample.ts";

/** Elementary functions beyond those of `pointwise.ts`: powers and logarithms of other bases, angles, hyperbolas. */

/** `f` of positive elements; 0 with derivative 0 where they are 0, though that of `f` is infinite there. */
export function rooted(x: Tensor, f: (positive: Tensor) => Tensor): Tensor {
  const none = eq(x, 0);
  return where(none, 0, f(where(none, 1, x)));
}

/** 2 to the power `x`, element by element. */
export const exp2: Unary = pointwise({
  name: "exp2",
  body: (m, x) => {
    const single = m.dtypeOf(x!) === "float32";
    const within = m.pmin(m.pmax(x!, single ? -200 : -1200), single ? 200 : 1200);
    const k = m.nearest(within);
    return m.select(m.eq(x!, x!), m.scale2(f.exp(m, m.mul(m.sub(within, k), Math.LN2)), k), x!);
  },
  derivatives: [partial((y) => mul(y, Math.LN2))],
  samples: within([-2, 2]),
  accepts: "float",
});

/** The logarithm of `x` to base 2, element by element; -inf at 0, NaN below. */
export const log2: Unary = pointwise({
  name: "log2",
  body: (m, x) => {
    const { k, fraction } = normalizeAny(m, x!);
    return m.add(k, m.mul(f.log(m, fraction), Math.LOG2E));
  },
  derivatives: [singular((_, x) => div(Math.LOG2E, x!))],
  samples: within([0.2, 4]),
  accepts: "float",
});

/** The logarithm of `x` to base 10, element by element; -inf at 0, NaN below. */
export const log10: Unary = pointwise({
  name: "log10",
  body: (m, x) => m.mul(f.log(m, x!), Math.LOG10E),
  derivatives: [singular((_, x) => div(Math.LOG10E, x!))],
  samples: within([0.2, 4]),
  accepts: "float",
});

/** `1 / x`, element by element. */
export const reciprocal: Unary = pointwise({
  name: "reciprocal",
  body: (m, x) => m.div(1, x!),
  // By chain, so that 0 times the derivative of this product is 0 too where y is infinite.
  derivatives: [singular((y) => neg(chain(y, y)))],
  samples: within([0.5, 3]),
  accepts: "float",
});

/** `1 / sqrt(x)`, element by element; infinite at 0, NaN below. */
export const rsqrt: Unary = pointwise({
  name: "rsqrt",
  body: (m, x) => m.div(1, m.sqrt(x!)),
  derivatives: [singular((y) => mul(-0.5, chain(y, chain(y, y))))],
  samples: within([0.3, 3]),
  accepts: "float",
});

/** The cube root of `x`, element by element. Its derivative at 0 is infinite. */
export const cbrt: Unary = pointwise({
  name: "cbrt",
  body: (m, x) => {
    const magnitude = m.abs(x!);
    const guess = f.exp(m, m.div(f.log(m, magnitude), 3));
    // One step of Newton's method takes out the error of the guess.
    const root = m.sub(guess, m.div(m.sub(guess, m.div(m.div(magnitude, guess), guess)), 3));
    const special = m.or(m.eq(x!, 0), m.eq(magnitude, Infinity));
    return m.select(special, x!, m.copysign(root, x!));
  },
  derivatives: [singular((y) => div(1, mul(3, square(y))))],
  samples: within([-3, 3, -0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]),
  accepts: "float",
});

/** The tangent of `x` in radians, element by element. */
export const tan: Unary = pointwise({
  name: "tan",
  body: (m, x) => m.div(f.sin(m, x!), f.cos(m, x!)),
  derivatives: [partial((y) => add(1, square(y)))],
  samples: within([-1.2, 1.2]),
  accepts: "float",
});

/** The angle in radians whose tangent is `x`, between -pi/2 and pi/2, element by element. */
export const atan: Unary = pointwise({
  name: "atan",
  body: atanBody,
  derivatives: [partial((_, x) => reciprocal(add(1, square(x!))))],
  samples: within([-3, 3]),
  accepts: "float",
});

/** `1 - x^2` with its digits near 1 and -1; as an op, so that its derivative near 0 is no difference, and at the ends not infinity times 0. */
const besideOne: Unary = pointwise({
  name: "besideOne",
  body: (m, x) => m.mul(m.sub(1, x!), m.add(1, x!)),
  derivatives: [partial((_, x) => mul(-2, x!))],
  samples: within([-0.8, 0.8]),
  accepts: "float",
});

/** The angle in radians whose sine is `x`, between -pi/2 and pi/2, element by element; NaN beyond -1 and 1. */
export const asin: Unary = pointwise({
  name: "asin",
  body: (m, x) => {
    const cosine = m.sqrt(m.mul(m.sub(1, x!), m.add(1, x!)));
    return m.mul(2, atanBody(m, m.div(x!, m.add(1, cosine))));
  },
  derivatives: [singular((_, x) => rsqrt(besideOne(x!)))],
  samples: within([-0.8, 0.8]),
  accepts: "float",
});

/** The angle in radians whose cosine is `x`, between 0 and pi, element by element; NaN beyond -1 and 1. */
export const acos: Unary = pointwise({
  name: "acos",
  body: (m, x) => m.mul(2, atanBody(m, m.div(m.sqrt(m.sub(1, x!)), m.sqrt(m.add(1, x!))))),
  derivatives: [singular((_, x) => neg(rsqrt(besideOne(x!))))],
  samples: within([-0.8, 0.8]),
  accepts: "float",
});

/** The hyperbolic sine of `x`, element by element. */
export const sinh: Unary = pointwise({
  name: "sinh",
  body: (m, x) => {
    const magnitude = m.abs(x!);
    const u = f.expm1(m, m.pmin(magnitude, 80));
    const near = m.mul(0.5, m.add(u, m.div(u, m.add(u, 1))));
    const half = f.exp(m, m.mul(magnitude, 0.5));
    return m.copysign(m.select(m.lt(80, magnitude), m.mul(m.mul(0.5, half), half), near), x!);
  },
  derivatives: [partial((_, x) => cosh(x!))],
  samples: within([-2, 2]),
  accepts: "float",
});

/** The hyperbolic cosine of `x`, element by element. */
export const cosh: Unary = pointwise({
  name: "cosh",
  body: (m, x) => {
    const magnitude = m.abs(x!);
    const e = f.exp(m, m.pmin(magnitude, 80));
    const half = f.exp(m, m.mul(magnitude, 0.5));
    const near = m.add(m.mul(0.5, e), m.div(0.5, e));
    const far = m.mul(m.mul(0.5, half), half);
    return m.select(m.eq(x!, x!), m.select(m.lt(80, magnitude), far, near), x!);
  },
  derivatives: [partial((_, x) => sinh(x!))],
  samples: within([-2, 2]),
  accepts: "float",
});

/** From here on the roots of x^2 + 1 and x^2 - 1 are x, after rounding. */
const farFrom = <E>(m: Arithmetic<E>, x: E): number => (m.dtypeOf(x) === "float32" ? 1e6 : 2 ** 28);

/** The inverse of sinh, element by element. */
export const asinh: Unary = pointwise({
  name: "asinh",
  body: (m, x) => {
    const [magnitude, border] = [m.abs(x!), farFrom(m, x!)];
    const moderate = m.pmin(magnitude, border);
    const squared = m.mul(moderate, moderate);
    const near = f.log1p(m, m.add(moderate, m.div(squared, m.add(1, m.sqrt(m.add(1, squared))))));
    const far = m.add(f.log(m, magnitude), Math.LN2);
    return m.copysign(m.select(m.lt(border, magnitude), far, m.select(m.eq(x!, x!), near, x!)), x!);
  },
  derivatives: [partial((_, x) => reciprocal(hypot(x!, 1)))],
  samples: within([-3, 3]),
  accepts: "float",
});

/** The inverse of cosh, element by element; NaN below 1. Its derivative at 1 is infinite. */
export const acosh: Unary = pointwise({
  name: "acosh",
  body: (m, x) => {
    const border = farFrom(m, x!);
    const t = m.sub(m.pmin(x!, border), 1);
    const near = f.log1p(m, m.add(t, m.sqrt(m.add(m.add(t, t), m.mul(t, t)))));
    const far = m.add(f.log(m, x!), Math.LN2);
    return m.select(m.lt(border, x!), far, m.select(m.le(1, x!), near, Number.NaN));
  },
  derivatives: [singular((_, x) => div(1, chain(sqrt(sub(x!, 1)), sqrt(add(x!, 1)))))],
  samples: within([1.2, 4]),
  accepts: "float",
});

/** The inverse of tanh, element by element; infinite at -1 and 1, NaN beyond. */
export const atanh: Unary = pointwise({
  name: "atanh",
  body: (m, x) => {
    const magnitude = m.abs(x!);
    const half = f.log1p(m, m.div(m.add(magnitude, magnitude), m.sub(1, magnitude)));
    return m.copysign(m.mul(0.5, half), m.select(m.eq(half, half), x!, half));
  },
  derivatives: [singular((_, x) => reciprocal(besideOne(x!)))],
  samples: within([-0.8, 0.8]),
  accepts: "float",
});

/** The angle in radians of the point (x, y) from the x axis, between -pi and pi, element by element: `atan2(y, x)`. */
export const atan2: Binary = pointwise({
  name: "atan2",
  body: (m, y, x) => {
    const [up, along] = [m.abs(y!), m.abs(x!)];
    const steep = m.lt(along, up);
    const [shorter, longer] = [m.select(steep, along, up), m.select(steep, up, along)];
    const quotient = m.select(
      m.eq(shorter, longer),
      m.select(m.eq(shorter, 0), 0, m.constant(1, m.dtypeOf(x!))),
      m.div(shorter, longer),
    );
    const angle = atanBody(m, quotient);
    const first = m.select(steep, m.sub(Math.PI / 2, angle), angle);
    const backwards = m.lt(m.copysign(1, x!), 0);
    const turned = m.copysign(m.select(backwards, m.sub(Math.PI, first), first), y!);
    return m.select(m.and(m.eq(x!, x!), m.eq(y!, y!)), turned, m.add(x!, y!));
  },
  derivatives: [
    // Divided twice: the square of a huge or tiny length is no number.
    singular((_, y, x) => div(div(x!, hypot(x!, y!)), hypot(x!, y!))),
    singular((_, y, x) => neg(div(div(y!, hypot(x!, y!)), hypot(x!, y!)))),
  ],
  samples: within([0.3, 2], [-2, 2]),
  accepts: "float",
});

/**
 * The length of (x, y), element by element: `sqrt(x^2 + y^2)` without overflow on the way.
 *
 * @kink At (0, 0) the derivatives are 0.
 */
export const hypot: Binary = pointwise({
  name: "hypot",
  body: (m, x, y) => {
    const [a, b] = [m.abs(x!), m.abs(y!)];
    const [shorter, longer] = [m.select(m.lt(a, b), a, b), m.select(m.lt(a, b), b, a)];
    const slope = m.div(shorter, longer);
    const length = m.mul(longer, m.sqrt(m.add(1, m.mul(slope, slope))));
    const infinite = m.or(m.eq(a, Infinity), m.eq(b, Infinity));
    return m.select(infinite, Infinity, m.select(m.eq(longer, 0), m.add(a, b), length));
  },
  derivatives: [
    singular((out, x) => where(eq(out, 0), 0, div(x!, out))),
    singular((out, _, y) => where(eq(out, 0), 0, div(y!, out))),
  ],
  samples: within([0.3, 2], [-2, 2]),
  accepts: "float",
  kink: true,
});

/** `log(exp(x) + exp(y))` for one element; -inf stands for nothing. */
export const logaddexpBody: Body = (m, x, y) => {
  const larger = m.select(m.lt(x!, y!), y!, x!);
  const apart = m.add(larger, f.log1p(m, f.exp(m, m.neg(m.abs(m.sub(x!, y!))))));
  return m.select(m.eq(x!, y!), m.add(x!, Math.LN2), apart);
};

/** `log(e^x + e^y)`, element by element, without overflow. */
export const logaddexp: Binary = pointwise({
  name: "logaddexp",
  body: logaddexpBody,
  derivatives: [partial((_, x, y) => sigmoid(sub(x!, y!))), partial((_, x, y) => sigmoid(sub(y!, x!)))],
  samples: within([-2, 2], [-2, 2]),
  accepts: "float",
});

/** `x log(y)`, element by element, 0 where `x` is 0 (and `y` is not NaN). */
export const xlogy: Binary = pointwise({
  name: "xlogy",
  body: (m, x, y) => m.select(m.eq(y!, y!), m.select(m.eq(x!, 0), 0, m.mul(x!, f.log(m, y!))), y!),
  derivatives: [
    singular((_, x, y) => where(logicalAnd(eq(x!, 0), le(y!, 0)), 0, log(y!))),
    singular((_, x, y) => div(x!, y!)),
  ],
  samples: within([0.2, 2], [0.3, 3]),
  accepts: "float",
});
