import type { Arithmetic } from "../arithmetic.ts";
import {
  floorDivide as floorQuotient,
  remainder as positiveRest,
  fmod as rest,
} from "../functions/quotient.ts";
import { partial, singular, zero } from "../graph.ts";
import type { Binary, Comparison, Unary } from "../signature.ts";
import { pointwise } from "./elementwise.ts";
import { div, mul, neg, sign } from "./pointwise.ts";
import { within } from "./sample.ts";

/** Rounding, remainders, and the parts that a float is made of. */

const isWhole = <E>(m: Arithmetic<E>, x: E): boolean => m.dtypeOf(x) === "int32";
/**
 * The largest whole number up to `x`, element by element. Integers stay as they are.
 *
 * @kink Jumps at whole numbers; its derivative is 0 everywhere.
 */
export const floor: Unary = pointwise({
  name: "floor",
  body: (m, x) => (isWhole(m, x!) ? x! : m.floor(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 0, 1, 2]),
  kink: true,
});

/**
 * The smallest whole number from `x` on, element by element. Integers stay as they are.
 *
 * @kink Jumps at whole numbers; its derivative is 0 everywhere.
 */
export const ceil: Unary = pointwise({
  name: "ceil",
  body: (m, x) => (isWhole(m, x!) ? x! : m.ceil(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 0, 1, 2]),
  kink: true,
});

/**
 * The nearest whole number, element by element, the even one of two. Integers stay as they are.
 *
 * @kink Jumps half way between whole numbers; its derivative is 0 everywhere.
 *
 * @example
 * ```ts
 * import { round, tensor } from "@cotangent/autograd";
 * round(tensor([0.5, 1.5, 2.5])).toArray(); // => 0,2,2
 * ```
 */
export const round: Unary = pointwise({
  name: "round",
  body: (m, x) => (isWhole(m, x!) ? x! : m.nearest(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -1.5, -0.5, 0.5, 1.5]),
  kink: true,
});

/**
 * `x` without its fraction, element by element. Integers stay as they are.
 *
 * @kink Jumps at whole numbers; its derivative is 0 everywhere.
 */
export const trunc: Unary = pointwise({
  name: "trunc",
  body: (m, x) => (isWhole(m, x!) ? x! : m.trunc(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 1, 2]),
  kink: true,
});

/**
 * The fraction of `x` with the sign of `x`, element by element: `x - trunc(x)`.
 *
 * @kink Jumps at whole numbers; its derivative is 1 everywhere.
 */
export const frac: Unary = pointwise({
  name: "frac",
  body: (m, x) => m.sub(x!, m.trunc(x!)),
  derivatives: [partial(() => 1)],
  samples: within([-2, 2, -2, -1, 1, 2]),
  accepts: "float",
  kink: true,
});

/**
 * The whole number below the quotient `x / y`, element by element, as Python's `//`. Two int32 give int32, and 0
 * where `y` is 0 (PyTorch throws; a compiled program could not).
 *
 * @kink Jumps where the quotient is whole; its derivatives are 0 everywhere.
 *
 * @example
 * ```ts
 * import { floorDivide, tensor } from "@cotangent/autograd";
 * floorDivide(tensor([7, -7]), 2).toArray(); // => 3,-4
 * ```
 */
export const floorDivide: Binary = pointwise({
  name: "floorDivide",
  body: floorQuotient,
  derivatives: [zero, zero],
  samples: within([0.1, 0.9], [1, 2]),
  kink: true,
});

/**
 * The rest of the division of `x` by `y` with the sign of `x`, element by element, exactly, as C's fmod. Two int32 give int32,
 * and 0 where `y` is 0.
 *
 * @kink Jumps where the quotient is whole; its derivatives are those of either side.
 *
 * @example
 * ```ts
 * import { fmod, tensor } from "@cotangent/autograd";
 * fmod(tensor([7, -7]), 2).toArray(); // => 1,-1
 * ```
 */
export const fmod: Binary = pointwise({
  name: "fmod",
  body: rest,
  derivatives: [partial(() => 1), singular((_, x, y) => neg(trunc(div(x!, y!))))],
  samples: within([2.35, 2.6], [0.72, 0.76]),
  kink: true,
});

/**
 * The rest of the division of `x` by `y` with the sign of `y`, element by element, as Python's `%`. Two int32 give int32,
 * and 0 where `y` is 0.
 *
 * @kink Jumps where the quotient is whole; its derivatives are those of either side.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from "@cotangent/autograd";
 * remainder(tensor([7, -7]), 2).toArray(); // => 1,1
 * ```
 */
export const remainder: Binary = pointwise({
  name: "remainder",
  body: positiveRest,
  derivatives: [partial(() => 1), singular((_, x, y) => neg(floorDivide(x!, y!)))],
  samples: within([-2.8, -2.2], [0.95, 1.05]),
  kink: true,
});

/** Is `x` NaN, element by element? */
export const isNaN: Unary = pointwise({
  name: "isNaN",
  body: (m, x) => m.ne(x!, x!),
  derivatives: [zero],
  samples: within([-2, 2]),
  gives: "bool",
});

/** Is `x` infinite, of either sign, element by element? */
export const isInf: Unary = pointwise({
  name: "isInf",
  body: (m, x) => (isWhole(m, x!) ? m.ne(x!, x!) : m.eq(m.abs(x!), Infinity)),
  derivatives: [zero],
  samples: within([-2, 2]),
  gives: "bool",
});

/** Is `x` neither infinite nor NaN, element by element? */
export const isFinite: Unary = pointwise({
  name: "isFinite",
  body: (m, x) => (isWhole(m, x!) ? m.eq(x!, x!) : m.lt(m.abs(x!), Infinity)),
  derivatives: [zero],
  samples: within([-2, 2]),
  gives: "bool",
});

/**
 * The magnitude of `x` with the sign of `y`, element by element; zeros have signs too.
 *
 * @kink Its derivative by x at the kink x = 0 is 0.
 */
export const copysign: Binary = pointwise({
  name: "copysign",
  body: (m, x, y) => m.copysign(x!, y!),
  derivatives: [partial((_, x, y) => mul(sign(x!), copysign(1, y!))), zero],
  samples: within([-2, 2, 0], [-2, 2, 0]),
  accepts: "float",
  kink: true,
});

/** Does exactly one of `x` and `y` (bool) hold, element by element? */
export const logicalXor: Comparison = pointwise({
  name: "logicalXor",
  body: (m, x, y) => m.ne(x!, y!),
  derivatives: [zero, zero],
  samples: (draw) => {
    const [x, y] = draw.broadcastable(2);
    return [draw.bools(x!), draw.bools(y!)];
  },
  accepts: "bool",
  gives: "bool",
});
