import type { Arithmetic } from "../arithmetic.ts";
import { ValueError } from "../errors.ts";
import {
  floorDivide as floorQuotient,
  remainder as positiveRest,
  fmod as rest,
} from "../functions/quotient.ts";
import type { Tensor } from "../graph.ts";
import { linear, partial, singular, zero } from "../graph.ts";
import type {
  Binary,
  Clamp,
  Comparison,
  Operand,
  Operation,
  Ternary,
  Unary,
  UnaryWith,
} from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, ge, gt, le, logicalNot, logicalOr, lt, ne } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { zerosLike } from "./leaf.ts";
import { div, mul, neg, sign, sub, where } from "./pointwise.ts";
import { composed, within } from "./sample.ts";

/** Rounding, remainders, and the parts that a float is made of. */

const isWhole = <E>(m: Arithmetic<E>, x: E): boolean => m.dtypeOf(x) === "int32";
const jump = "Jumps at whole numbers; its derivative is 0 everywhere.";

/** The largest whole number up to `x`, element by element. Integers stay as they are. */
export const floor: Unary = pointwise({
  name: "floor",
  body: (m, x) => (isWhole(m, x!) ? x! : m.floor(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 0, 1, 2]),
  kink: jump,
});

/** The smallest whole number from `x` on, element by element. Integers stay as they are. */
export const ceil: Unary = pointwise({
  name: "ceil",
  body: (m, x) => (isWhole(m, x!) ? x! : m.ceil(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 0, 1, 2]),
  kink: jump,
});

/**
 * The nearest whole number, element by element, the even one of two. Integers stay as they are.
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
  kink: "Jumps half way between whole numbers; its derivative is 0 everywhere.",
});

/** `x` without its fraction, element by element. Integers stay as they are. */
export const trunc: Unary = pointwise({
  name: "trunc",
  body: (m, x) => (isWhole(m, x!) ? x! : m.trunc(x!)),
  derivatives: [zero],
  samples: within([-2, 2, -2, -1, 1, 2]),
  kink: jump,
});

/** The fraction of `x` with the sign of `x`, element by element: `x - trunc(x)`. */
export const frac: Unary = pointwise({
  name: "frac",
  body: (m, x) => m.sub(x!, m.trunc(x!)),
  derivatives: [partial(() => 1)],
  samples: within([-2, 2, -2, -1, 1, 2]),
  accepts: "float",
  kink: "Jumps at whole numbers; its derivative is 1 everywhere.",
});

/**
 * The whole number below the quotient `x / y`, element by element, as Python's `//`. Integers are divided as float32.
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
  accepts: "float",
  kink: "Jumps where the quotient is whole; its derivatives are 0 everywhere.",
});

/**
 * The rest of the division of `x` by `y` with the sign of `x`, element by element, as C's fmod. Exact where the quotient is
 * below 2^48 (float32) or 2^106. Integers are divided as float32.
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
  samples: within([2.2, 2.8], [0.95, 1.05]),
  accepts: "float",
  kink: "Jumps where the quotient is whole; its derivatives are those of either side.",
});

/**
 * The rest of the division of `x` by `y` with the sign of `y`, element by element, as Python's `%`. Integers are divided as
 * float32.
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
  accepts: "float",
  kink: "Jumps where the quotient is whole; its derivatives are those of either side.",
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

/** What stands in for NaN and the infinities. */
interface Replacements {
  readonly nan?: number;
  readonly posinf?: number;
  readonly neginf?: number;
}

const largest = { float32: 2 ** 128 - 2 ** 104, float64: Number.MAX_VALUE };

/**
 * `x` with numbers in place of NaN (0 unless given) and of the infinities (the largest numbers of the dtype unless given).
 * What was replaced gets the gradient 0.
 */
export const nanToNum: UnaryWith<[options?: Replacements]> = composed(
  "nanToNum",
  (x: Tensor, { nan = 0, posinf, neginf }: Replacements = {}) => {
    if (x.dtype === "int32" || x.dtype === "bool") return x.node;
    const most = largest[x.dtype];
    const above = where(eq(x, Infinity), posinf ?? most, x);
    const below = where(eq(x, -Infinity), neginf ?? -most, above);
    return where(ne(x, x), nan, below);
  },
  within([-2, 2]),
  "Replaced elements have the derivative 0.",
);

/** The magnitude of `x` with the sign of `y`, element by element; zeros have signs too. */
export const copysign: Binary = pointwise({
  name: "copysign",
  body: (m, x, y) => m.copysign(x!, y!),
  derivatives: [partial((_, x, y) => mul(sign(x!), copysign(1, y!))), zero],
  samples: within([-2, 2, 0], [-2, 2, 0]),
  accepts: "float",
  kink: "Its derivative by x at the kink x = 0 is 0.",
});

const toFirst = (takes: Tensor, y: Tensor): Tensor => cast(logicalOr(takes, ne(y, y)), y.dtype);
const toSecond = (takes: Tensor, y: Tensor): Tensor => cast(logicalNot(logicalOr(takes, ne(y, y))), y.dtype);
const ties = "Where the operands are equal the first gets the whole gradient.";

/** The larger of `x` and `y`, element by element; the other one if one is NaN. */
export const fmax: Binary = pointwise({
  name: "fmax",
  body: (m, x, y) => m.select(m.or(m.lt(x!, y!), m.ne(x!, x!)), y!, x!),
  derivatives: [
    partial((_, x, y) => toFirst(ge(x!, y!), y!)),
    partial((_, x, y) => toSecond(ge(x!, y!), y!)),
  ],
  samples: within([-2, 0], [0.2, 2]),
  kink: ties,
});

/** The smaller of `x` and `y`, element by element; the other one if one is NaN. */
export const fmin: Binary = pointwise({
  name: "fmin",
  body: (m, x, y) => m.select(m.or(m.lt(y!, x!), m.ne(x!, x!)), y!, x!),
  derivatives: [
    partial((_, x, y) => toFirst(le(x!, y!), y!)),
    partial((_, x, y) => toSecond(le(x!, y!), y!)),
  ],
  samples: within([-2, 0], [0.2, 2]),
  kink: ties,
});

/** `x + weight * (end - x)`, element by element: exactly `end` where the weight is 1. */
export const lerp: Ternary = pointwise({
  name: "lerp",
  body: (m, x, end, weight) => {
    const whole = m.sub(end!, x!);
    const fromEnd = m.sub(end!, m.mul(whole, m.sub(1, weight!)));
    return m.select(m.lt(m.abs(weight!), 0.5), m.add(x!, m.mul(weight!, whole)), fromEnd);
  },
  derivatives: [
    partial((_, _x, _end, weight) => sub(1, weight!)),
    partial((_, _x, _end, weight) => weight!),
    partial((_, x, end) => sub(end!, x!)),
  ],
  samples: within([-2, 2], [-2, 2], [0, 1]),
  accepts: "float",
});

type Scaled = (x: Operand, a: Operand, b: Operand, value: Operand) => Tensor;
type AddScaled = Operation<[a: Operand, b: Operand, options?: { readonly value?: number }]>;

const scaledProduct: Scaled = pointwise({
  name: "addcmul",
  body: (m, x, a, b, value) => m.add(x!, m.mul(m.mul(value!, a!), b!)),
  derivatives: [
    partial(() => 1),
    partial((_, _x, _a, b, value) => mul(value!, b!)),
    partial((_, _x, a, _b, value) => mul(value!, a!)),
    partial((_, _x, a, b) => mul(a!, b!)),
  ],
  samples: within([-2, 2], [-2, 2], [-2, 2], [-2, 2]),
});

/** `x + value * a * b`, element by element; `value` is 1 unless given. */
export const addcmul: AddScaled = composed(
  "addcmul",
  (x: Operand, a: Operand, b: Operand, { value = 1 }: { readonly value?: number } = {}) =>
    scaledProduct(x, a, b, value),
  within([-2, 2], [-2, 2], [-2, 2]),
);

const scaledQuotient: Scaled = pointwise({
  name: "addcdiv",
  body: (m, x, a, b, value) => m.add(x!, m.div(m.mul(value!, a!), b!)),
  derivatives: [
    partial(() => 1),
    singular((_, _x, _a, b, value) => div(value!, b!)),
    singular((_, _x, a, b, value) => neg(div(div(mul(value!, a!), b!), b!))),
    singular((_, _x, a, b) => div(a!, b!)),
  ],
  samples: within([-2, 2], [-2, 2], [0.5, 3], [-2, 2]),
  accepts: "float",
});

/** `x + value * a / b`, element by element; `value` is 1 unless given. */
export const addcdiv: AddScaled = composed(
  "addcdiv",
  (x: Operand, a: Operand, b: Operand, { value = 1 }: { readonly value?: number } = {}) =>
    scaledQuotient(x, a, b, value),
  within([-2, 2], [-2, 2], [0.5, 3]),
);

const atLeast: Binary = pointwise({
  name: "clamp",
  body: (m, x, min) => m.select(m.or(m.lt(x!, min!), m.ne(min!, min!)), min!, x!),
  derivatives: [
    partial((_, x, min) => cast(ge(x!, min!), x!.dtype)),
    partial((_, x, min) => cast(lt(x!, min!), x!.dtype)),
  ],
  samples: within([-2, 0], [0.2, 2]),
});

const atMost: Binary = pointwise({
  name: "clamp",
  body: (m, x, max) => m.select(m.or(m.lt(max!, x!), m.ne(max!, max!)), max!, x!),
  derivatives: [
    partial((_, x, max) => cast(le(x!, max!), x!.dtype)),
    partial((_, x, max) => cast(gt(x!, max!), x!.dtype)),
  ],
  samples: within([-2, 0], [0.2, 2]),
});

type Limit = Operand | null | undefined;

/**
 * `x` between `min` and `max`, element by element; without one of them only the other counts. Throws ValueError if both are
 * left out. NaN stays NaN.
 */
export const clamp: Clamp = composed(
  "clamp",
  (x: Tensor, min?: Limit, max?: Limit): Tensor => {
    const noMin = min === undefined || min === null;
    const noMax = max === undefined || max === null;
    if (noMin && noMax) throw new ValueError("clamp: has neither min nor max; give at least one");
    const above = noMin ? x : atLeast(x, min);
    return noMax ? above : atMost(above, max);
  },
  (draw) => [draw.tensor(draw.shape(), { low: -2, high: 2, away: [-1, 1] }), -1, 1],
  "At the boundary the gradient passes to x.",
);

const fillWhere: Ternary = pointwise({
  name: "maskedFill",
  body: (m, mask, x, value) => m.select(mask!, value!, x!),
  derivatives: [
    zero,
    linear((g, out) => where(out.inputs[0]!, zerosLike(g), g)),
    linear((g, out) => where(out.inputs[0]!, g, zerosLike(g))),
  ],
  samples: (draw) => [draw.bools([2]), draw.tensor([2]), 1],
  accepts: "any",
  conditional: true,
});

/** `value` where `mask` (bool) holds, else `x`. Throws DTypeError if the mask is not bool. */
export const maskedFill: Operation<[mask: Tensor, value: Operand]> = composed(
  "maskedFill",
  (x: Tensor, mask: Tensor, value: Operand) => fillWhere(mask, x, value),
  (draw) => {
    const [x, mask] = draw.broadcastable(2);
    return [draw.tensor(x!), draw.bools(mask!), 0.5];
  },
);

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
