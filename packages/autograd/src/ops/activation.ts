import { isFloat } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import * as f from "../functions.ts";
import { partial, Tensor } from "../graph.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { Operand, SameRank, Unary, UnaryWith } from "../signature.ts";
import { cast } from "./cast.ts";
import { ge, gt, le, logicalAnd, logicalOr, lt } from "./comparison.ts";
import { pointwise } from "./elementwise.ts";
import { describe } from "./leaf.ts";
import { reshape } from "./movement.ts";
import {
  abs,
  add,
  div,
  erf,
  exp,
  expm1,
  log1p,
  mul,
  neg,
  sigmoid,
  square,
  sub,
  tanh,
  where,
} from "./pointwise.ts";
import { slice } from "./region.ts";
import type { Samples } from "./sample.ts";
import { composed, within } from "./sample.ts";

/**
 * Activation functions of neural networks, element by element. Where a branch of a composition could overflow, its
 * operand is 0 where the branch is not taken: 0 times an infinite partial would be NaN.
 */

/** `x` checked: a tensor that is not bool. */
function numeric(name: string, x: unknown): Tensor {
  if (!(x instanceof Tensor))
    throw new ValueError(`${name}: takes a tensor, got ${describe(x)}; make one with tensor(...)`);
  if (x.dtype === "bool") throw new DTypeError(`${name}: takes no bool; cast to float32 first`);
  return x.node;
}

/** The same with integers as float32. */
function floated(name: string, x: unknown): Tensor {
  const a = numeric(name, x);
  return isFloat(a.dtype) ? a : cast(a, "float32");
}

/** Throws ValueError unless an option is a number. */
function checkNumber(name: string, option: string, value: unknown): void {
  if (typeof value !== "number" || Number.isNaN(value))
    throw new ValueError(`${name}: ${option} is ${describe(value)}; give a number`);
}

function checkNonzero(name: string, option: string, value: number): void {
  checkNumber(name, option, value);
  if (value === 0) throw new ValueError(`${name}: ${option} is 0, and is divided by; give another number`);
}

function checkNotNegative(name: string, option: string, value: number): void {
  checkNumber(name, option, value);
  if (value < 0) throw new ValueError(`${name}: ${option} is ${value}; give a number of at least 0`);
}

/** Samples of one tensor and an options object. */
const withOptions =
  (options: object, low: number, high: number, ...away: number[]): Samples =>
  (draw) => [draw.tensor(draw.shape(), { low, high, away }), options];

/** `min(max(x, 0), 6)`, element by element. */
export const relu6: Unary = composed(
  "relu6",
  (x: Tensor): Tensor => between(numeric("relu6", x), 0, 6),
  within([-2, 8, 0, 6]),
  "at 0 and 6 the derivative is 0",
);

function between(x: Tensor, low: number, high: number): Tensor {
  return where(le(x, low), low, where(ge(x, high), high, x));
}

/** `x` kept between `minVal` and `maxVal`, -1 and 1 unless given. Throws ValueError if `minVal` is above `maxVal`. */
export const hardtanh: UnaryWith<[options?: { readonly minVal?: number; readonly maxVal?: number }]> =
  composed(
    "hardtanh",
    (x: Tensor, { minVal = -1, maxVal = 1 }: { readonly minVal?: number; readonly maxVal?: number } = {}) => {
      checkNumber("hardtanh", "minVal", minVal);
      checkNumber("hardtanh", "maxVal", maxVal);
      if (minVal > maxVal)
        throw new ValueError(`hardtanh: minVal ${minVal} is above maxVal ${maxVal}; exchange them`);
      return between(numeric("hardtanh", x), minVal, maxVal);
    },
    withOptions({ minVal: -0.5, maxVal: 1 }, -2, 2, -0.5, 1),
    "at minVal and maxVal the derivative is 0",
  );

/** `x` where it is positive, else `negativeSlope * x` (0.01 unless given), element by element. */
export const leakyRelu: UnaryWith<[options?: { readonly negativeSlope?: number }]> = composed(
  "leakyRelu",
  (x: Tensor, { negativeSlope = 0.01 }: { readonly negativeSlope?: number } = {}) => {
    checkNumber("leakyRelu", "negativeSlope", negativeSlope);
    const a = floated("leakyRelu", x);
    return where(gt(a, 0), a, mul(a, negativeSlope));
  },
  withOptions({ negativeSlope: 0.1 }, -2, 2, 0),
  "at 0 the derivative is negativeSlope",
);

/**
 * `x` where it is positive, else `weight * x`: `weight` is one number, or a vector with one for each channel (axis 1). Throws
 * ShapeError if it is neither.
 *
 * @example
 * ```ts
 * import { prelu, tensor } from "@cotangent/autograd";
 * prelu(tensor([[-1, -1]]), tensor([0.5, 0.25])).toArray(); // => -0.5,-0.25
 * ```
 */
export const prelu: UnaryWith<[weight: Operand]> = composed(
  "prelu",
  (x: Tensor, weight: Operand) => {
    const a = floated("prelu", x);
    if (typeof weight !== "number") floated("prelu", weight);
    const positive = gt(a, 0);
    const slope = typeof weight === "number" ? weight : perChannel(a, floated("prelu", weight));
    return where(positive, a, mul(slope, where(positive, 0, a)));
  },
  (draw) => {
    const shape = draw.shape(2);
    const x = draw.tensor(shape, { low: -2, high: 2, away: [0] });
    return [x, draw.tensor([draw.integer(0, 1) === 0 ? 1 : shape[1]!])];
  },
  "at 0 the derivative by x is weight",
);

function perChannel(x: Tensor, weight: Tensor): Tensor {
  if (weight.rank < 2 && weight.size === 1) return reshape(weight, []);
  if (weight.rank !== 1 || x.rank < 2 || weight.shape[0] !== x.shape[1])
    throw new ShapeError(
      `prelu: weight of shape ${formatShape(weight.shape)} for x of shape ${formatShape(x.shape)}; ` +
        "give one number, or a vector with one for each entry of axis 1",
    );
  return reshape(weight, [weight.size, ...x.shape.slice(2).map(() => 1)]);
}

/** `x` where it is positive, else `scale * (e^(x / width) - 1)`. */
function exponential(x: Tensor, scale: number, width: number): Tensor {
  const below = le(x, 0);
  return where(below, mul(scale, expm1(div(where(below, x, 0), width))), x);
}

/** `x` where it is positive, else `alpha * (e^x - 1)`; `alpha` is 1 unless given. */
export const elu: UnaryWith<[options?: { readonly alpha?: number }]> = composed(
  "elu",
  (x: Tensor, { alpha = 1 }: { readonly alpha?: number } = {}) => {
    checkNumber("elu", "alpha", alpha);
    return exponential(floated("elu", x), alpha, 1);
  },
  withOptions({ alpha: 1.5 }, -2, 2, 0),
  "at 0 the derivative is alpha",
);

/** `x` where it is positive, else `alpha * (e^(x / alpha) - 1)`. Throws ValueError if `alpha` (1 unless given) is 0. */
export const celu: UnaryWith<[options?: { readonly alpha?: number }]> = composed(
  "celu",
  (x: Tensor, { alpha = 1 }: { readonly alpha?: number } = {}) => {
    checkNonzero("celu", "alpha", alpha);
    return exponential(floated("celu", x), alpha, alpha);
  },
  withOptions({ alpha: 1.5 }, -2, 2, 0),
  "at 0 the second derivative is that of the negative side",
);

// Klambauer et al. 2017, self-normalizing neural networks.
const [seluAlpha, seluScale] = [1.6732632423543772, 1.0507009873554805];

/** elu with the scale and the alpha that keep mean 0 and variance 1 (Klambauer et al. 2017). */
export const selu: Unary = composed(
  "selu",
  (x: Tensor): Tensor => mul(seluScale, exponential(floated("selu", x), seluAlpha, 1)),
  within([-2, 2, 0]),
  "at 0 the derivative is that of the negative side",
);

/**
 * `x` times the share of a normal distribution below `x`. With `approximate: "tanh"` that share is computed by tanh (Hendrycks
 * and Gimpel 2016). Throws ValueError for another word than "none" and "tanh".
 */
export const gelu: UnaryWith<[options?: { readonly approximate?: "none" | "tanh" }]> = composed(
  "gelu",
  (x: Tensor, { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {}) => {
    const a = floated("gelu", x);
    if (approximate !== "none" && approximate !== "tanh")
      throw new ValueError(`gelu: approximate is ${describe(approximate)}; say "none" or "tanh"`);
    if (approximate === "none") return mul(mul(a, 0.5), add(1, erf(mul(a, Math.SQRT1_2))));
    const inner = mul(Math.sqrt(2 / Math.PI), add(a, mul(0.044715, mul(a, mul(a, a)))));
    return mul(mul(a, 0.5), add(1, tanh(inner)));
  },
  (draw) => [draw.tensor(draw.shape()), { approximate: draw.integer(0, 1) === 0 ? "none" : "tanh" }],
);

/** `x * sigmoid(x)`, element by element; also called swish. */
export const silu: Unary = composed(
  "silu",
  (x: Tensor): Tensor => {
    const a = floated("silu", x);
    return mul(a, sigmoid(a));
  },
  within([-3, 3]),
);

/** `log(1 + e^(beta x)) / beta`, element by element, where `beta * x` is above `threshold` just `x`. */
export const softplus: UnaryWith<[options?: { readonly beta?: number; readonly threshold?: number }]> =
  composed(
    "softplus",
    (
      x: Tensor,
      { beta = 1, threshold: top = 20 }: { readonly beta?: number; readonly threshold?: number } = {},
    ) => {
      checkNonzero("softplus", "beta", beta);
      checkNumber("softplus", "threshold", top);
      return smooth(floated("softplus", x), beta, top);
    },
    withOptions({ beta: 1.5, threshold: 20 }, -3, 3),
  );

function smooth(x: Tensor, beta: number, top: number): Tensor {
  const scaled = mul(x, beta);
  const linear = gt(scaled, top);
  return where(linear, x, div(log1p(exp(where(linear, 0, scaled))), beta));
}

/** `x * tanh(softplus(x))`, element by element. */
export const mish: Unary = composed(
  "mish",
  (x: Tensor): Tensor => {
    const a = floated("mish", x);
    const gate: Tensor = tanh(smooth(a, 1, 20));
    return mul(a, gate);
  },
  within([-3, 3]),
);

/** `x / (1 + |x|)`, element by element: like tanh, with slower tails. */
export const softsign: Unary = pointwise({
  name: "softsign",
  body: (m, x) => m.div(x!, m.add(m.abs(x!), 1)),
  derivatives: [partial((_, x) => div(1, square(add(abs(x!), 1))))],
  samples: within([-3, 3, 0]),
  accepts: "float",
});

/** `log(sigmoid(x))`, element by element, without overflow. */
export const logSigmoid: Unary = pointwise({
  name: "logSigmoid",
  body: (m, x) => m.sub(m.select(m.lt(x!, 0), x!, 0), f.log1p(m, f.exp(m, m.neg(m.abs(x!))))),
  derivatives: [partial((_, x) => sigmoid(neg(x!)))],
  samples: within([-4, 4]),
  accepts: "float",
});

/** 0 below -3, 1 above 3, `(x + 3) / 6` between. */
export const hardsigmoid: Unary = composed(
  "hardsigmoid",
  (x: Tensor): Tensor => {
    const a = floated("hardsigmoid", x);
    return where(le(a, -3), 0, where(ge(a, 3), 1, div(add(a, 3), 6)));
  },
  within([-5, 5, -3, 3]),
  "at -3 and 3 the derivative is 0",
);

/** 0 below -3, `x` above 3, `x (x + 3) / 6` between. */
export const hardswish: Unary = composed(
  "hardswish",
  (x: Tensor): Tensor => {
    const a = floated("hardswish", x);
    const [low, high] = [lt(a, -3), gt(a, 3)];
    const middle = where(logicalOr(low, high), 0, a);
    return where(low, 0, where(high, a, div(mul(middle, add(middle, 3)), 6)));
  },
  within([-5, 5, -3, 3]),
  "at -3 and 3 the derivative is that of the parabola, -0.5 and 1.5",
);

/** 0 where `|x|` is at most `lambda` (0.5 unless given), else `x`. Throws ValueError if `lambda` is negative. */
export const hardshrink: UnaryWith<[options?: { readonly lambda?: number }]> = composed(
  "hardshrink",
  (x: Tensor, { lambda = 0.5 }: { readonly lambda?: number } = {}) => {
    checkNotNegative("hardshrink", "lambda", lambda);
    const a = floated("hardshrink", x);
    return where(logicalAnd(ge(a, -lambda), le(a, lambda)), 0, a);
  },
  withOptions({ lambda: 0.7 }, -2, 2, -0.7, 0.7),
  "it jumps at -lambda and lambda; the derivative there is 0",
);

/** `x` drawn towards 0 by `lambda` (0.5 unless given), and 0 if it is nearer. Throws ValueError if `lambda` is negative. */
export const softshrink: UnaryWith<[options?: { readonly lambda?: number }]> = composed(
  "softshrink",
  (x: Tensor, { lambda = 0.5 }: { readonly lambda?: number } = {}) => {
    checkNotNegative("softshrink", "lambda", lambda);
    const a = floated("softshrink", x);
    return where(gt(a, lambda), sub(a, lambda), where(lt(a, -lambda), add(a, lambda), 0));
  },
  withOptions({ lambda: 0.7 }, -2, 2, -0.7, 0.7),
  "at -lambda and lambda the derivative is 0",
);

/** `x - tanh(x)`, element by element. */
export const tanhshrink: Unary = composed(
  "tanhshrink",
  (x: Tensor): Tensor => {
    const a = floated("tanhshrink", x);
    return sub(a, tanh(a));
  },
  within([-3, 3]),
);

/** `x` where it is above `threshold`, else `value`. */
export const threshold: UnaryWith<[threshold: number, value: number]> = composed(
  "threshold",
  (x: Tensor, above: number, value: number) => {
    checkNumber("threshold", "threshold", above);
    checkNumber("threshold", "value", value);
    const a = numeric("threshold", x);
    return where(le(a, above), value, a);
  },
  (draw) => [draw.tensor(draw.shape(), { low: -2, high: 2, away: [0.5] }), 0.5, -1],
  "it jumps at threshold; the derivative there is 0",
);

/**
 * The first half of `x` along `axis` (the last unless given) times the sigmoid of the second half (Dauphin et al. 2017). Throws
 * ShapeError if the axis has an odd size.
 */
export const glu: SameRank<[axis?: number]> = composed(
  "glu",
  (x: Tensor, axis = -1) => {
    const a = floated("glu", x);
    const along = normalizeAxis("glu", axis, a.shape);
    const size = a.shape[along]!;
    if (size % 2 !== 0)
      throw new ShapeError(
        `glu: axis ${along} of shape ${formatShape(a.shape)} has the odd size ${size}; give one that can be halved`,
      );
    const half = size / 2;
    return mul(slice(a, 0, half, { axis: along }), sigmoid(slice(a, half, size, { axis: along })));
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    return [draw.tensor(shape.with(axis, 2 * shape.at(axis)!)), axis];
  },
);
