import { isFloat } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { formatShape } from "../shape.ts";
import type { Operand, Unary, UnaryWith } from "../signature.ts";
import { eq, ge, gt, le, logicalOr, lt } from "./comparison.ts";
import { checkNumber, floated, numeric } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { abs, add, div, mul, sub, where } from "./pointwise.ts";
import { composed, kinked, within, withOptions } from "./sample.ts";

/** Activation functions made of pieces of lines (and one parabola), element by element. */

/** Throws ValueError unless `lambda` is a number of at least 0. */
function checkLambda(name: string, lambda: number): void {
  checkNumber(name, "lambda", lambda);
  if (lambda < 0) throw new ValueError(`${name}: lambda is ${lambda}; give a number of at least 0`);
}

/** `x`, its NaNs as constants: where a function is flat on both sides PyTorch's derivative at NaN is 0. */
function settled(x: Tensor): Tensor {
  return isFloat(x.dtype) ? where(eq(x, x), x, Number.NaN) : x;
}

/**
 * `min(max(x, 0), 6)`, element by element.
 *
 * @kink at 0 and 6 the derivative is 0
 */
export const relu6: Unary = composed(
  "relu6",
  (x: Tensor): Tensor => between(numeric("relu6", x), 0, 6),
  within([-2, 8, 0, 6]),
  kinked,
);

function between(x: Tensor, low: number, high: number): Tensor {
  return where(le(x, low), low, where(ge(x, high), high, settled(x)));
}

/**
 * `x` kept between `minVal` and `maxVal`, -1 and 1 unless given. Throws ValueError if `minVal` is above `maxVal`.
 *
 * @kink at minVal and maxVal the derivative is 0
 */
export const hardtanh: UnaryWith<
  [options?: { readonly minVal?: number | undefined; readonly maxVal?: number | undefined }]
> = composed(
  "hardtanh",
  (x: Tensor, options?: { readonly minVal?: number | undefined; readonly maxVal?: number | undefined }) => {
    const { minVal = -1, maxVal = 1 } = optionsOf("hardtanh", options, { minVal: true, maxVal: true });
    checkNumber("hardtanh", "minVal", minVal);
    checkNumber("hardtanh", "maxVal", maxVal);
    if (minVal > maxVal)
      throw new ValueError(`hardtanh: minVal ${minVal} is above maxVal ${maxVal}; exchange them`);
    return between(numeric("hardtanh", x), minVal, maxVal);
  },
  withOptions({ minVal: -0.5, maxVal: 1 }, -2, 2, -0.5, 1),
  kinked,
);

/**
 * `x` where it is positive, else `negativeSlope * x` (0.01 unless given), element by element.
 *
 * @kink at 0 the derivative is negativeSlope
 */
export const leakyRelu: UnaryWith<[options?: { readonly negativeSlope?: number | undefined }]> = composed(
  "leakyRelu",
  (x: Tensor, options?: { readonly negativeSlope?: number | undefined }) => {
    const { negativeSlope = 0.01 } = optionsOf("leakyRelu", options, { negativeSlope: true });
    checkNumber("leakyRelu", "negativeSlope", negativeSlope);
    const a = floated("leakyRelu", x);
    return where(gt(a, 0), a, mul(a, negativeSlope));
  },
  withOptions({ negativeSlope: 0.1 }, -2, 2, 0),
  kinked,
);

/**
 * `x` where it is positive, else `weight * x`: `weight` is one number, or a vector with one for each channel (axis 1). Throws
 * ShapeError if it is neither.
 *
 * @kink at 0 the derivative by x is weight
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
    return [x, draw.tensor([draw.coin() ? 1 : shape[1]!])];
  },
  kinked,
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

/**
 * 0 below -3, 1 above 3, `(x + 3) / 6` between.
 *
 * @kink at -3 and 3 the derivative is 0
 */
export const hardsigmoid: Unary = composed(
  "hardsigmoid",
  (x: Tensor): Tensor => {
    const a = floated("hardsigmoid", x);
    return where(le(a, -3), 0, where(ge(a, 3), 1, div(add(settled(a), 3), 6)));
  },
  within([-5, 5, -3, 3]),
  kinked,
);

/**
 * 0 below -3 (at -inf too), `x` above 3, `x (x + 3) / 6` between.
 *
 * @kink at -3 and 3 the derivative is that of the parabola, -0.5 and 1.5
 */
export const hardswish: Unary = composed(
  "hardswish",
  (x: Tensor): Tensor => {
    const a = floated("hardswish", x);
    const [low, high] = [lt(a, -3), gt(a, 3)];
    const middle = where(logicalOr(low, high), 0, a);
    return where(low, 0, where(high, a, div(mul(middle, add(middle, 3)), 6)));
  },
  within([-5, 5, -3, 3]),
  kinked,
);

/**
 * 0 where `|x|` is at most `lambda` (0.5 unless given), else `x`. Throws ValueError if `lambda` is negative.
 *
 * @kink it jumps at -lambda and lambda; the derivative there is 0
 */
export const hardshrink: UnaryWith<[options?: { readonly lambda?: number | undefined }]> = composed(
  "hardshrink",
  (x: Tensor, options?: { readonly lambda?: number | undefined }) => {
    const { lambda = 0.5 } = optionsOf("hardshrink", options, { lambda: true });
    checkLambda("hardshrink", lambda);
    const a = floated("hardshrink", x);
    return where(le(abs(a), lambda), 0, settled(a));
  },
  withOptions({ lambda: 0.7 }, -2, 2, -0.7, 0.7),
  kinked,
);

/**
 * `x` drawn towards 0 by `lambda` (0.5 unless given), and 0 if it is nearer. Throws ValueError if `lambda` is negative.
 *
 * @kink at -lambda and lambda the derivative is 0
 */
export const softshrink: UnaryWith<[options?: { readonly lambda?: number | undefined }]> = composed(
  "softshrink",
  (x: Tensor, options?: { readonly lambda?: number | undefined }) => {
    const { lambda = 0.5 } = optionsOf("softshrink", options, { lambda: true });
    checkLambda("softshrink", lambda);
    const a = floated("softshrink", x);
    return where(gt(a, lambda), sub(a, lambda), where(lt(a, -lambda), add(a, lambda), 0));
  },
  withOptions({ lambda: 0.7 }, -2, 2, -0.7, 0.7),
  kinked,
);

/**
 * `x` where it is above `threshold`, else `value`.
 *
 * @kink it jumps at threshold; the derivative there is 0
 */
export const threshold: UnaryWith<[threshold: number, value: number]> = composed(
  "threshold",
  (x: Tensor, above: number, value: number) => {
    checkNumber("threshold", "threshold", above);
    checkNumber("threshold", "value", value);
    const a = numeric("threshold", x);
    return where(le(a, above), value, a);
  },
  (draw) => [draw.tensor(draw.shape(), { low: -2, high: 2, away: [0.5] }), 0.5, -1],
  kinked,
);
