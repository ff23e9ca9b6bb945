/** Reductions that describe a sample: spread, norms, order statistics, counts. */
import { ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import { normalizeAxes, reducedShape, sizeOf } from "../shape.ts";
import type { ArgReduction, Axes, KeepDims, Reduction } from "../signature.ts";
import { cast, floating } from "./cast.ts";
import { eq, gt, logicalAnd, logicalNot, logicalOr, lt, ne } from "./comparison.ts";
import { stopGradient } from "./composed.ts";
import { rooted } from "./elementary.ts";
import { checkChoice, choice } from "./elementwise.ts";
import { picked } from "./indexing.ts";
import { fill, iota } from "./leaf.ts";
import { broadcastTo, keeping, reshape, sum } from "./movement.ts";
import { abs, div, maximum, mul, pow, sqrt, square, sub, where } from "./pointwise.ts";
import { amax, amin, mean } from "./reduction.ts";
import type { Samples } from "./sample.ts";
import { alongAxis, composed, kinked, ofDistinct } from "./sample.ts";

type Keeping = KeepDims<boolean>;

/** How many elements hold along the axes. */
function count(name: string, holds: Tensor, axis: Axes, options: Keeping | undefined): Tensor {
  return sum(cast(holds, "int32"), normalizeAxes(name, axis, holds.shape), optionsOf(name, options, keeping));
}

const nonzero = (x: Tensor): Tensor => (x.dtype === "bool" ? x.node : ne(x, 0));

/** How many elements are not 0, over one axis, several, or all, as int32. NaN is not 0. */
export const countNonzero: Reduction = composed(
  "countNonzero",
  (x: Tensor, axis?: Axes, options?: Keeping) => count("countNonzero", nonzero(x), axis, options),
  alongAxis(),
);

/** Is any element true (numbers: not 0), over one axis, several, or all? The answer over nothing is false. */
export const any: Reduction = composed(
  "any",
  (x: Tensor, axis?: Axes, options?: Keeping) => ne(count("any", nonzero(x), axis, options), 0),
  alongAxis(),
);

/** Are all elements true (numbers: not 0), over one axis, several, or all? The answer over nothing is true. */
export const all: Reduction = composed(
  "all",
  (x: Tensor, axis?: Axes, options?: Keeping) => eq(count("all", logicalNot(nonzero(x)), axis, options), 0),
  alongAxis(),
);

/** The first place of the extreme element along an axis, which stays with size 1; a NaN is more extreme than any number. */
function placeOf(extreme: Reduction, a: Tensor, along: number): Tensor {
  const size = a.shape[along]!;
  const most = broadcastTo(extreme(a, along, { keepDims: true }), a.shape);
  const places = broadcastTo(
    reshape(
      iota([size]),
      a.shape.map((n, i) => (i === along ? n : 1)),
    ),
    a.shape,
  );
  return amin(where(logicalOr(eq(a, most), ne(a, a)), places, size), along, { keepDims: true });
}

/** Different elements, and one axis or all. */
const distinctAlong: Samples = ofDistinct((draw, shape) => [draw.axisOrAll(shape)]);

function place(name: string, extreme: Reduction): ArgReduction {
  return composed(
    name,
    (x: Tensor, axis?: number, options?: Keeping) => {
      const { a, along, out } = choice(name, x, axis, options);
      return reshape(placeOf(extreme, a, along), out);
    },
    distinctAlong,
  );
}

/**
 * The index (int32) of the largest element along `axis`, or without it over everything, counted row by row. The first
 * one where several tie; the first NaN if there is one. Throws ValueError where there are no elements.
 */
export const argmax: ArgReduction = place("argmax", amax);

/**
 * The index (int32) of the smallest element along `axis`, or without it over everything, counted row by row. The first
 * one where several tie; the first NaN if there is one. Throws ValueError where there are no elements.
 */
export const argmin: ArgReduction = place("argmin", amin);

/** The extreme element: along an axis the first of those that tie, which alone has the gradient; over all they share. */
function chosen(name: string, extreme: Reduction): ArgReduction {
  return composed(
    name,
    (x: Tensor, axis?: number, options?: Keeping) => {
      const { a, along, out } = choice(name, x, axis, options);
      const found = axis === undefined ? extreme(a) : picked(name, a, along, placeOf(extreme, a, along));
      return reshape(found, out);
    },
    distinctAlong,
    kinked,
  );
}

/**
 * The largest element along `axis`, or over everything; NaN if there is one. Throws ValueError where there are none.
 *
 * @kink Where elements tie along an axis, the first of them has the whole gradient; over everything they share it equally.
 */
export const max: ArgReduction = chosen("max", amax);

/**
 * The smallest element along `axis`, or over everything; NaN if there is one. Throws ValueError where there are none.
 *
 * @kink Where elements tie along an axis, the first of them has the whole gradient; over everything they share it equally.
 */
export const min: ArgReduction = chosen("min", amin);

type Corrected = {
  readonly correction?: number | undefined;
};
const corrected: Known<Corrected & Keeping> = { ...keeping, correction: true };

/** The sum of the squared distances from the mean, divided by the count less `correction`. */
function spread(name: string, x: Tensor, axis: Axes, options: (Corrected & Keeping) | undefined): Tensor {
  const { correction = 1, keepDims = false } = optionsOf(name, options, corrected);
  if (!Number.isFinite(correction))
    throw new ValueError(`${name}: the correction is ${correction}; give a finite number, 1 or 0 as a rule`);
  const a = floating(x);
  const axes = normalizeAxes(name, axis, a.shape);
  const away = sub(a, mean(a, axes, { keepDims: true }));
  const left = Math.max(0, sizeOf(axes.map((i) => a.shape[i]!)) - correction);
  return div(sum(square(away), axes, { keepDims }), left);
}

/** At least two elements along an axis: the spread of one is NaN. */
const several: Samples = (draw) => {
  const shape = draw.shape(1, 3, 2);
  return [draw.distinct(shape), draw.axis(shape), { correction: draw.integer(0, 1) }];
};

/**
 * The variance over one axis, several, or all: squared distances from the mean, summed and divided by the count less
 * `correction` (1 unless given). NaN where nothing is left to divide by; integers and bool count as float32.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 *
 * tensor([1, 2, 3]).variance().item(); // => 1
 * ```
 */
export const variance: Reduction<Corrected> = composed(
  "variance",
  (x: Tensor, axis?: Axes, options?: Corrected & Keeping) => spread("variance", x, axis, options),
  several,
);

/**
 * What to divide by so that neither powers nor their derivatives overflow or vanish, as a constant: the largest magnitude along the axes if it is
 * huge or tiny, else 1. Of negative powers the largest is that of the smallest magnitude. Powers below 1 make magnitudes more alike: they
 * and their sums are in no danger, but the product of their derivatives and a large unit is.
 */
function unitOf(x: Tensor, axes: readonly number[], power = 2): Tensor {
  if (x.size === 0 || Math.abs(power) < 1) return fill(1, reducedShape(x.shape, axes, true), x.dtype);
  const sizes = abs(x);
  const counting = power > 0 ? sizes : where(eq(sizes, 0), Infinity, sizes);
  const most = stopGradient((power > 0 ? amax : amin)(counting, axes, { keepDims: true }));
  const huge = 2 ** Math.floor((x.dtype === "float32" ? 100 : 1000) / (Math.abs(power) + 1));
  const extreme = logicalOr(
    logicalAnd(gt(most, huge), lt(most, Infinity)),
    logicalAnd(gt(most, 0), lt(most, 1 / huge)),
  );
  // The reciprocal of a smaller one would be infinite.
  const unit = maximum(most, x.dtype === "float32" ? 2 ** -126 : 2 ** -1022);
  return where(extreme, unit, 1);
}

/**
 * The standard deviation over one axis, several, or all: the square root of `variance`, also where that is too large or too
 * small for a number of the dtype.
 *
 * @kink Where all elements are equal the derivative is 0.
 */
export const std: Reduction<Corrected> = composed(
  "std",
  (x: Tensor, axis?: Axes, options?: Corrected & Keeping) => {
    const a = floating(x);
    const axes = normalizeAxes("std", axis, a.shape);
    const unit = unitOf(a, axes);
    const root = rooted(spread("std", div(a, unit), axes, options), sqrt);
    return mul(root, options?.keepDims ? unit : reshape(unit, root.shape));
  },
  several,
  kinked,
);

function rootOfPowers(x: Tensor, axes: readonly number[], p: number, keepDims: boolean): Tensor {
  if (p === 2) return rooted(sum(square(x), axes, { keepDims }), sqrt);
  const size = abs(x);
  const none = eq(size, 0);
  const powers = where(none, p > 0 ? 0 : Infinity, pow(where(none, 1, size), p));
  const total = sum(powers, axes, { keepDims });
  // Of negative powers it is the infinities that add up to 0.
  return p > 0 ? rooted(total, (sum) => pow(sum, 1 / p)) : pow(total, 1 / p);
}

type Power = {
  readonly p?: number | undefined;
};
const powered: Known<Power & Keeping> = { ...keeping, p: true };

/**
 * The p-norm `sum(|x|^p)^(1/p)` over one axis, several, or all; p is 2 unless given. Infinity and -Infinity give the largest
 * and the smallest magnitude, 0 the number of elements that are not 0. Throws ValueError if p is NaN.
 *
 * @kink At 0 the derivative is 0; for p = Infinity the largest magnitudes share the gradient equally.
 *
 * @example
 * ```ts
 * import { norm, tensor } from "@cotangent/autograd";
 *
 * norm(tensor([3, -4])).item(); // => 5
 * norm(tensor([3, -4]), 0, { p: 1 }).item(); // => 7
 * ```
 */
export const norm: Reduction<Power> = composed(
  "norm",
  (x: Tensor, axis?: Axes, options?: Power & Keeping) => {
    const { p = 2, keepDims = false } = optionsOf("norm", options, powered);
    if (Number.isNaN(p)) throw new ValueError("norm: p is NaN; give a number, Infinity or -Infinity");
    const whole = floating(x);
    const axes = normalizeAxes("norm", axis, whole.shape);
    if (p === 0) return cast(count("norm", ne(whole, 0), axes, { keepDims }), whole.dtype);
    if (p === 1) return sum(abs(whole), axes, { keepDims });
    if (Math.abs(p) === Infinity) {
      checkChoice("norm", whole, axes);
      return (p > 0 ? amax : amin)(abs(whole), axes, { keepDims });
    }
    const unit = unitOf(whole, axes, p);
    const root = rootOfPowers(div(whole, unit), axes, p, keepDims);
    return mul(root, keepDims ? unit : reshape(unit, root.shape));
  },
  (draw) => {
    const shape = draw.shape(1);
    const powers = [1, 2, 3, 1.5, Infinity];
    const signs = draw.tensor(shape, { low: 0.3, high: 2 });
    const p = powers[draw.integer(0, 4)]!;
    return [p === Infinity ? draw.distinct(shape) : signs, draw.axis(shape), { p }];
  },
  kinked,
);
