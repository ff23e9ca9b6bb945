import { refuseBool } from "../dtype.ts";
import type { Op } from "../graph.ts";
import { apply, partial, type Tensor, zero } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { normalizeAxes, normalizeAxis, reducedShape, sizeOf } from "../shape.ts";
import type { AxisFunction, Reduction, Unary } from "../signature.ts";
import { floating } from "./cast.ts";
import { lt } from "./comparison.ts";
import { checkTensor, fill } from "./leaf.ts";
import { keeping, reshape, sum } from "./movement.ts";
import { passing } from "./passing.ts";
import { abs, add, div, exp, log, neg, sub, where } from "./pointwise.ts";
import { amax } from "./reduction.ts";
import { alongAxis, composed, declare, within } from "./sample.ts";

/** `stopGradient` and `identity`, and what is made with them: softmax and its relatives. */

export const stopOp: Op = passing("stopGradient", [zero], "intended");

/** `x` as a constant: the same elements, and derivatives end here. Once it is read it is a leaf. */
export const stopGradient: Unary = declare(
  "stopGradient",
  (x: Tensor) => {
    checkTensor("stopGradient", x);
    return apply(stopOp, [x.node]);
  },
  stopOp,
  within([-2, 2]),
);

const identityOp = passing("identity", [partial(() => 1)]);

/** `x` as a node of its own: the same elements, and derivatives pass. */
export const identity: Unary = declare(
  "identity",
  (x: Tensor) => {
    checkTensor("identity", x);
    return apply(identityOp, [x.node]);
  },
  identityOp,
  within([-2, 2]),
);

/** The largest elements over `axes`, as constants to be taken out before exp; 0 where there are none. */
function largestOf(x: Tensor, axes: readonly number[]): Tensor {
  const kept = reducedShape(x.shape, axes, true);
  const none = sizeOf(x.shape) === 0;
  return none ? fill(0, kept, x.dtype) : stopGradient(amax(x, axes, { keepDims: true }));
}

/** The same with 0 where they are infinite, since inf - inf is NaN. */
function shiftOf(x: Tensor, axes: readonly number[]): Tensor {
  const largest = largestOf(x, axes);
  return where(lt(abs(largest), Infinity), largest, 0);
}

/**
 * `log(sum(exp(x)))` over one axis, several, or all, without overflow: the largest element is taken out first. -inf where
 * all elements are -inf.
 */
export const logsumexp: Reduction = composed(
  "logsumexp",
  (x: Tensor, axis?: number | readonly number[], options?: { readonly keepDims?: boolean | undefined }) => {
    const a = floating(x);
    const axes = normalizeAxes("logsumexp", axis, a.shape);
    const shift = shiftOf(a, axes);
    const out = add(log(sum(exp(sub(a, shift)), axes, { keepDims: true })), shift);
    return optionsOf("logsumexp", options, keeping).keepDims
      ? out
      : reshape(out, reducedShape(a.shape, axes));
  },
  alongAxis(),
);

/** Positive numbers that sum to 1 along `axis`, the last unless given: `exp(x) / sum(exp(x))`, without overflow. */
export const softmax: AxisFunction = composed(
  "softmax",
  (x: Tensor, axis = -1) => {
    const a = floating(x);
    const along = [normalizeAxis("softmax", axis, a.shape)];
    const positive = exp(sub(a, largestOf(a, along)));
    return div(positive, sum(positive, along, { keepDims: true }));
  },
  alongAxis(),
);

/** `log(softmax(x))` along `axis`, the last unless given, without the loss of accuracy of doing it in two steps. */
export const logSoftmax: AxisFunction = composed(
  "logSoftmax",
  (x: Tensor, axis = -1) => {
    const a = floating(x);
    const along = [normalizeAxis("logSoftmax", axis, a.shape)];
    const shifted = sub(a, largestOf(a, along));
    return sub(shifted, log(sum(exp(shifted), along, { keepDims: true })));
  },
  alongAxis(),
);

/** `softmax(-x)` along `axis`, the last unless given: the smallest element has the largest share. */
export const softmin: AxisFunction = composed(
  "softmin",
  (x: Tensor, axis = -1) => {
    refuseBool("softmin", x.dtype, "float32");
    return softmax(neg(floating(x)), normalizeAxis("softmin", axis, x.shape));
  },
  alongAxis(),
);
