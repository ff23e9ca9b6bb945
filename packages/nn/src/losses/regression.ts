import type { Binary, Unary } from "@cotangent/autograd/functional";
import {
  abs,
  div,
  functions,
  hideFrames,
  maximum,
  minimum,
  mul,
  neg,
  partial,
  pointwise,
  square,
  sub,
  tanh,
  within,
  zero,
} from "@cotangent/autograd/functional";
import { checkNumber, checkPositive, checkShare } from "../options.ts";
import type { Loss, LossWith } from "./reduction.ts";
import { elementwise } from "./reduction.ts";

hideFrames(import.meta.url);

/** Losses of a number: how far off it is. */

/**
 * The squared error `(prediction - target)^2`. Throws ShapeError unless both shapes are the same, ValueError for an unknown
 * reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { mse } from "@cotangent/nn/loss";
 * mse(tensor([1, 2, 3]), tensor([1, 2, 6])).item(); // => 3
 * mse(tensor([1, 2, 3]), tensor([1, 2, 6]), { reduction: "sum" }).item(); // => 9
 * ```
 */
export const mse: Loss = elementwise("mse", (x, y) => square(sub(x, y)));

/**
 * The absolute error `|prediction - target|`; where both are equal its derivative is 0. Throws ShapeError unless both shapes
 * are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { l1 } from "@cotangent/nn/loss";
 * l1(tensor([1, 2]), tensor([4, 1]), { reduction: "none" }).toArray(); // => 3,1
 * ```
 */
export const l1: Loss = elementwise("l1", (x, y) => abs(sub(x, y)));

const logCoshOp: Unary = pointwise({
  name: "logCosh",
  body: (m, x) => {
    const size = m.abs(x!);
    // cosh(x) is 1 + v^2 / (2 (1 + v)) with v = e^-|x| - 1, of which no digit is lost near 0, and e^|x| (1 + (e^(-2 |x|) - 1) / 2).
    const isNear = m.lt(size, 0.5);
    const v = functions.expm1(m, m.mul(size, m.select(isNear, -1, m.constant(-2, m.dtypeOf(x!)))));
    const more = m.select(isNear, m.div(m.mul(v, v), m.add(m.add(v, v), 2)), m.mul(v, 0.5));
    return m.add(m.select(isNear, 0, size), functions.log1p(m, more));
  },
  derivatives: [partial((_, x) => tanh(x!))],
  samples: within([-3, 3]),
  accepts: "float",
});

/**
 * `log(cosh(prediction - target))`, without overflow: half the square of small errors and the size of large ones, less
 * `log 2`. Throws ShapeError unless both shapes are the same, ValueError for an unknown reduction.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { logCosh } from "@cotangent/nn/loss";
 * logCosh(tensor([1, 1000]), tensor([1, 0]), { reduction: "sum" }); // => Tensor(999.3068, float32)
 * ```
 */
export const logCosh: Loss = elementwise("logCosh", (x, y) => logCoshOp(sub(x, y)));

/**
 * The square of the error cut to `delta`, and the line for what was cut off: no product could spoil an error that is infinite, for which
 * the slope is `delta` too. An op of its own, because the slope of the composed formula is a small error plus `delta` less `delta`.
 */
const huberOp: Binary = pointwise({
  name: "huber",
  body: (m, error, delta) => {
    const size = m.abs(error!);
    const cut = m.select(m.lt(size, delta!), size, delta!);
    return m.add(m.mul(m.mul(cut, cut), 0.5), m.mul(m.sub(size, cut), delta!));
  },
  // Nobody can ask for a derivative by delta, which is a number.
  derivatives: [partial((_, error, delta) => maximum(minimum(error!, delta!), neg(delta!))), zero],
  samples: within([-2, 2, -1, 1], [1, 1]),
  accepts: "float",
});

export interface HuberOptions {
  /** Where the square becomes a line; 1 unless given. */
  readonly delta?: number | undefined;
}

/**
 * Half the square of errors up to `delta`, and `delta (|error| - delta / 2)` of larger ones (Huber 1964). Throws ShapeError
 * unless both shapes are the same, ValueError for an unknown reduction and unless `delta` is a finite number above 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { huber } from "@cotangent/nn/loss";
 * huber(tensor([1, 5]), tensor([0, 0]), { delta: 2, reduction: "none" }).toArray(); // => 0.5,8
 * ```
 */
export const huber: LossWith<HuberOptions> = elementwise<HuberOptions>(
  "huber",
  (x, y, { delta = 1 }) => {
    checkPositive("huber: delta", delta);
    return huberOp(sub(x, y), delta);
  },
  { delta: true },
);

export interface SmoothL1Options {
  /** Where the square becomes a line; 1 unless given, 0 for `l1`. */
  readonly beta?: number | undefined;
}

/**
 * `huber` with `delta = beta`, divided by `beta`: the slope of large errors is 1. Throws ShapeError unless both shapes are the
 * same, ValueError for an unknown reduction and unless `beta` is a finite number of at least 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { smoothL1 } from "@cotangent/nn/loss";
 * smoothL1(tensor([1, 5]), tensor([0, 0]), { beta: 2, reduction: "none" }).toArray(); // => 0.25,4
 * ```
 */
export const smoothL1: LossWith<SmoothL1Options> = elementwise<SmoothL1Options>(
  "smoothL1",
  (x, y, { beta = 1 }) => {
    checkNumber("smoothL1: beta", beta, 0);
    return beta === 0 ? abs(sub(x, y)) : div(huberOp(sub(x, y), beta), beta);
  },
  { beta: true },
);

export interface QuantileOptions {
  /** Between 0 and 1: the share of targets that should lie below the prediction; 0.5 unless given. */
  readonly q?: number | undefined;
}

/**
 * `q (target - prediction)` where the prediction is too low, `(1 - q) (prediction - target)` where it is too high: least for the
 * quantile `q` of the targets (Koenker and Bassett 1978). Where both are equal the derivative is the mean of both sides. Throws
 * ShapeError unless both shapes are the same, ValueError for an unknown reduction and unless `q` is between 0 and 1.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { quantile } from "@cotangent/nn/loss";
 * quantile(tensor([0, 0]), tensor([4, -4]), { q: 0.75, reduction: "none" }).toArray(); // => 3,1
 * ```
 */
export const quantile: LossWith<QuantileOptions> = elementwise<QuantileOptions>(
  "quantile",
  (x, y, { q = 0.5 }) => {
    checkShare("quantile: q", q);
    const low = sub(y, x);
    return maximum(mul(low, q), mul(low, q - 1));
  },
  { q: true },
);
