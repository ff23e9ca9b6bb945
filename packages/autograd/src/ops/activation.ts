import { ShapeError, ValueError } from "../errors.ts";
import * as f from "../functions.ts";
import type { Tensor } from "../graph.ts";
import { partial } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { formatShape, normalizeAxis } from "../shape.ts";
import type { SameRank, Unary, UnaryWith } from "../signature.ts";
import { gt, logicalNot } from "./comparison.ts";
import { checkNumber, floated, pointwise } from "./elementwise.ts";
import { describe } from "./leaf.ts";
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
import { composed, kinked, ofRank, within, withOptions } from "./sample.ts";

/**
 * Activation functions of neural networks, element by element. Where a branch of a composition could overflow, its
 * operand is 0 where the branch is not taken: 0 times an infinite partial would be NaN.
 */

/** Throws ValueError unless an option is a number to divide by. */
function checkNonzero(name: string, option: string, value: number): void {
  checkNumber(name, option, value);
  if (value === 0) throw new ValueError(`${name}: ${option} is 0, and is divided by; give another number`);
}

/** `x` where it is positive, else `scale * (e^(x / width) - 1)`. */
function exponential(x: Tensor, scale: number, width: number): Tensor {
  // NaN counts as below, where its derivative is NaN too.
  const below = logicalNot(gt(x, 0));
  return where(below, mul(scale, expm1(div(where(below, x, 0), width))), x);
}

/**
 * `x` where it is positive, else `alpha * (e^x - 1)`; `alpha` is 1 unless given.
 *
 * @kink at 0 the derivative is alpha
 */
export const elu: UnaryWith<[options?: { readonly alpha?: number | undefined }]> = composed(
  "elu",
  (x: Tensor, options?: { readonly alpha?: number | undefined }) => {
    const { alpha = 1 } = optionsOf("elu", options, { alpha: true });
    checkNumber("elu", "alpha", alpha);
    return exponential(floated("elu", x), alpha, 1);
  },
  withOptions({ alpha: 1.5 }, -2, 2, 0),
  kinked,
);

/**
 * `x` where it is positive, else `alpha * (e^(x / alpha) - 1)`. Throws ValueError if `alpha` (1 unless given) is 0.
 *
 * @kink at 0 the second derivative is that of the negative side
 */
export const celu: UnaryWith<[options?: { readonly alpha?: number | undefined }]> = composed(
  "celu",
  (x: Tensor, options?: { readonly alpha?: number | undefined }) => {
    const { alpha = 1 } = optionsOf("celu", options, { alpha: true });
    checkNonzero("celu", "alpha", alpha);
    return exponential(floated("celu", x), alpha, alpha);
  },
  withOptions({ alpha: 1.5 }, -2, 2, 0),
  kinked,
);

// Klambauer et al. 2017, self-normalizing neural networks.
const [seluAlpha, seluScale] = [1.6732632423543772, 1.0507009873554805];

/**
 * elu with the scale and the alpha that keep mean 0 and variance 1 (Klambauer et al. 2017).
 *
 * @kink at 0 the derivative is that of the negative side
 */
export const selu: Unary = composed(
  "selu",
  (x: Tensor): Tensor => mul(seluScale, exponential(floated("selu", x), seluAlpha, 1)),
  within([-2, 2, 0]),
  kinked,
);

/**
 * `x` times the share of a normal distribution below `x`. With `approximate: "tanh"` that share is `(1 + tanh(u)) / 2` with `u` a polynomial
 * of degree 3 (Hendrycks and Gimpel 2016), said as `sigmoid(2 u)`, which is the same and keeps its digits where it is small. Throws ValueError for another word than "none" and "tanh".
 */
export const gelu: UnaryWith<[options?: { readonly approximate?: "none" | "tanh" | undefined }]> = composed(
  "gelu",
  (x: Tensor, options?: { readonly approximate?: "none" | "tanh" | undefined }) => {
    const { approximate = "none" } = optionsOf("gelu", options, { approximate: true });
    const a = floated("gelu", x);
    if (approximate !== "none" && approximate !== "tanh")
      throw new ValueError(`gelu: approximate is ${describe(approximate)}; say "none" or "tanh"`);
    if (approximate === "none") return mul(mul(a, 0.5), add(1, erf(mul(a, Math.SQRT1_2))));
    const inner = add(a, mul(0.044715, mul(a, mul(a, a))));
    return mul(a, sigmoid(mul(Math.sqrt(8 / Math.PI), inner)));
  },
  ofRank(0, 3, (draw) => [{ approximate: draw.coin() ? "none" : "tanh" }]),
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
export const softplus: UnaryWith<
  [options?: { readonly beta?: number | undefined; readonly threshold?: number | undefined }]
> = composed(
  "softplus",
  (x: Tensor, options?: { readonly beta?: number | undefined; readonly threshold?: number | undefined }) => {
    const { beta = 1, threshold: top = 20 } = optionsOf("softplus", options, {
      beta: true,
      threshold: true,
    });
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

/** `x - tanh(x)`, element by element. */
export const tanhshrink: Unary = composed(
  "tanhshrink",
  (x: Tensor): Tensor => {
    const a = floated("tanhshrink", x);
    return sub(a, tanh(a));
  },
  within([-3, 3]),
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
