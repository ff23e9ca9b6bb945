import { larger, smaller } from "../functions/extreme.ts";
import * as f from "../functions.ts";
import type { Tensor } from "../graph.ts";
import { linearRule, partial, singular, zero } from "../graph.ts";
import type { Binary, Heaviside, Ternary, Unary } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, ge, gt, logicalAnd, logicalNot, lt } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { zerosLike } from "./leaf.ts";
import { within } from "./sample.ts";

/** Elementwise ops. Each is one value: body, derivative, samples. Derivative rules get the result first, then the operands. */

/** `x + y`, element by element. */
export const add: Binary = pointwise({
  name: "add",
  body: (m, x, y) => m.add(x!, y!),
  derivatives: [partial(() => 1), partial(() => 1)],
  samples: within([-2, 2], [-2, 2]),
});

/** `x - y`, element by element. */
export const sub: Binary = pointwise({
  name: "sub",
  body: (m, x, y) => m.sub(x!, y!),
  derivatives: [partial(() => 1), partial(() => -1)],
  samples: within([-2, 2], [-2, 2]),
});

/** `x * y`, element by element. */
export const mul: Binary = pointwise({
  name: "mul",
  body: (m, x, y) => m.mul(x!, y!),
  derivatives: [partial((_, _x, y) => y!), partial((_, x) => x!)],
  samples: within([-2, 2], [-2, 2]),
});

/** `x / y`, element by element; integers are divided as float32. */
export const div: Binary = pointwise({
  name: "div",
  body: (m, x, y) => m.div(x!, y!),
  derivatives: [singular((_, _x, y) => div(1, y!)), singular((out, _x, y) => neg(div(out, y!)))],
  samples: within([-2, 2], [0.5, 3]),
  accepts: "float",
});

/**
 * The product of a cotangent `g` and a partial derivative `p`, 0 wherever `g` is 0: an infinite or undefined partial on a
 * branch that was not taken does not count.
 */
export const chain: Binary = pointwise({
  name: "chain",
  body: (m, g, p) => m.select(m.eq(g!, 0), 0, m.mul(g!, p!)),
  derivatives: [
    { kind: "bilinear", transpose: (c, out) => chain(c, out.inputs[1]!) },
    { kind: "bilinear", transpose: (c, out) => chain(c, out.inputs[0]!) },
  ],
  samples: within([0.5, 2], [-2, 2]),
});

/** `-x`, element by element. */
export const neg: Unary = pointwise({
  name: "neg",
  body: (m, x) => m.neg(x!),
  derivatives: [partial(() => -1)],
  samples: within([-2, 2]),
});

/** `x * x`, element by element. */
export const square: Unary = pointwise({
  name: "square",
  body: (m, x) => m.mul(x!, x!),
  derivatives: [partial((_, x) => mul(2, x!))],
  samples: within([-2, 2]),
});

/** The square root of `x`, element by element; NaN below 0. Its derivative at 0 is infinite. */
export const sqrt: Unary = pointwise({
  name: "sqrt",
  body: f.sqrt,
  derivatives: [singular((y) => div(0.5, y))],
  samples: within([0.2, 3]),
  accepts: "float",
});

/** Is `y` a number that is written in the program, and not `other`? */
function isNever({ attributes: { value } }: Tensor, other: number): boolean {
  return typeof value === "number" && value !== other;
}

/**
 * The base for the partial `y x^(y - 1)` where `y` is 0, with 1 in the place of 0. The partial is 0 there, but its own derivative by `y`
 * has the factor `x^-1`, which would be infinite.
 */
function unzeroed(x: Tensor): Tensor {
  return where(gt(abs(x), 0), x, 1);
}

/**
 * `x` to the power `y`, element by element, with C's special cases: `x^0 = 1` for every `x`, NaN for a negative `x` and a
 * fractional `y`.
 */
export const pow: Binary = pointwise({
  name: "pow",
  body: f.pow,
  derivatives: [
    singular((_, x, y) => {
      // Where y is 0 so is the partial, even if the power beside it is infinite: `chain` says so in all orders.
      const [times, base] = isNever(y!, 0) ? [mul, x!] : [chain, where(eq(y!, 0), unzeroed(x!), x!)];
      return times(y!, pow(base, sub(y!, 1)));
    }),
    // At x = 0 with y >= 0 the partial is 0 and log(x) is infinite: the logarithm of 1 stands for it, in higher orders too.
    singular((out, x, y) => mul(out, log(where(logicalAnd(eq(x!, 0), ge(y!, 0)), 1, x!)))),
  ],
  // Squares of 0 too.
  samples: (draw) => (draw.coin() ? within([0, 0], [2, 2]) : within([0.3, 2.5], [-2, 2]))(draw),
  accepts: "float",
});

/** `e` to the power `x`, element by element. */
export const exp: Unary = pointwise({
  name: "exp",
  body: f.exp,
  derivatives: [partial((y) => y)],
  samples: within([-2, 2]),
  accepts: "float",
});

/** `e^x - 1`, element by element, accurate near 0. */
export const expm1: Unary = pointwise({
  name: "expm1",
  body: f.expm1,
  // Not y + 1, of which nothing is left far below 0.
  derivatives: [partial((_, x) => exp(x!))],
  samples: within([-2, 2]),
  accepts: "float",
});

/** The natural logarithm of `x`, element by element; -inf at 0, NaN below. */
export const log: Unary = pointwise({
  name: "log",
  body: f.log,
  derivatives: [singular((_, x) => div(1, x!))],
  samples: within([0.2, 4]),
  accepts: "float",
});

/** The natural logarithm of `1 + x`, element by element, accurate near 0. */
export const log1p: Unary = pointwise({
  name: "log1p",
  body: f.log1p,
  derivatives: [singular((_, x) => div(1, add(x!, 1)))],
  samples: within([-0.7, 3]),
  accepts: "float",
});

/** The sine of `x` in radians, element by element. */
export const sin: Unary = /* @__PURE__ */ pointwise({
  name: "sin",
  body: f.sin,
  derivatives: [partial((_, x) => cos(x!))],
  samples: within([-4, 4]),
  accepts: "float",
});

/** The cosine of `x` in radians, element by element. */
export const cos: Unary = /* @__PURE__ */ pointwise({
  name: "cos",
  body: f.cos,
  derivatives: [partial((_, x) => neg(sin(x!)))],
  samples: within([-4, 4]),
  accepts: "float",
});

/** Hyperbolic tangent of `x`, element by element. */
export const tanh: Unary = pointwise({
  name: "tanh",
  body: f.tanh,
  derivatives: [partial((y) => sub(1, mul(y, y)))],
  samples: within([-3, 3]),
  accepts: "float",
});

/** The logistic function `1 / (1 + e^-x)`, element by element. */
export const sigmoid: Unary = pointwise({
  name: "sigmoid",
  body: f.sigmoid,
  derivatives: [partial((y) => mul(y, sub(1, y)))],
  samples: within([-4, 4]),
  accepts: "float",
});

/** The error function `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`, element by element. */
export const erf: Unary = pointwise({
  name: "erf",
  body: f.erf,
  derivatives: [partial((_, x) => mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x!, x!)))))],
  samples: within([-2, 2]),
  accepts: "float",
});

/**
 * `|x|`, element by element.
 *
 * @kink At 0 the derivative is 0.
 */
export const abs: Unary = pointwise({
  name: "abs",
  body: (m, x) => m.abs(x!),
  derivatives: [partial((_, x) => sign(x!))],
  samples: within([-2, 2, 0]),
  kink: true,
});

/**
 * -1, 0 or 1 as `x` is negative, zero or positive, element by element; NaN stays NaN.
 *
 * @kink A jump at 0: the derivative is 0 everywhere.
 */
export const sign: Unary = pointwise({
  name: "sign",
  body: (m, x) => m.select(m.lt(0, x!), 1, m.select(m.lt(x!, 0), -1, x!)),
  derivatives: [zero],
  samples: within([-2, 2, 0]),
  kink: true,
});

/**
 * `max(x, 0)`, element by element. NaN stays NaN.
 *
 * @kink At 0 the derivative is 0.
 */
export const relu: Unary = pointwise({
  name: "relu",
  body: (m, x) => m.select(m.le(x!, 0), 0, x!),
  derivatives: [partial((_, x) => heaviside(x!, 0))],
  samples: within([-2, 2, 0]),
  kink: true,
});

/**
 * The step function: 0 where `x` is negative, 1 where it is positive, `valueAtZero` (0 unless given) where it is 0. Its
 * derivative is 0 everywhere: a perceptron with this activation cannot learn by gradient descent.
 *
 * @kink A jump at 0: both derivatives are 0 everywhere.
 */
export const heaviside: Heaviside = pointwise({
  name: "heaviside",
  omitted: 0,
  body: (m, x, valueAtZero) =>
    m.select(m.lt(0, x!), 1, m.select(m.lt(x!, 0), 0, m.select(m.eq(x!, 0), valueAtZero!, x!))),
  derivatives: [zero, zero],
  samples: within([-2, 2, 0], [0, 1]),
  kink: true,
});

/** 1 where `x` is above `y` (or either is NaN), a half where they are equal, infinities too, else 0. */
function share(x: Tensor, y: Tensor): Tensor {
  return where(eq(x, y), 0.5, cast(logicalNot(lt(x, y)), x.dtype));
}

/**
 * The larger of `x` and `y`, element by element; NaN if either is.
 *
 * @kink Equal operands get half of the gradient each.
 */
export const maximum: Binary = pointwise({
  name: "maximum",
  body: larger,
  derivatives: [partial((_, x, y) => share(x!, y!)), partial((_, x, y) => share(y!, x!))],
  samples: within([-2, 2], [-2, 2]),
  kink: true,
});

/**
 * The smaller of `x` and `y`, element by element; NaN if either is.
 *
 * @kink Equal operands get half of the gradient each.
 */
export const minimum: Binary = pointwise({
  name: "minimum",
  body: smaller,
  derivatives: [partial((_, x, y) => share(y!, x!)), partial((_, x, y) => share(x!, y!))],
  samples: within([-2, 2], [-2, 2]),
  kink: true,
});

/** `x` where `condition` (bool) holds, else `y`, element by element. The side that is not taken gets the gradient 0. */
export const where: Ternary = pointwise({
  name: "where",
  body: (m, condition, x, y) => m.select(condition!, x!, y!),
  derivatives: [
    zero,
    linearRule((g, out) => where(out.inputs[0]!, g, zerosLike(g))),
    linearRule((g, out) => where(out.inputs[0]!, zerosLike(g), g)),
  ],
  samples: (draw) => {
    const [c, x, y] = draw.broadcastable(3);
    return [draw.bools(c!), draw.tensor(x!), draw.tensor(y!)];
  },
  accepts: "any",
  conditional: true,
});
