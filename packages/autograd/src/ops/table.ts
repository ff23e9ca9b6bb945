import { refuseBool } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import {
  broadcastsTo,
  checkShape,
  checkWhole,
  formatShape,
  listOf,
  normalizeAxes,
  normalizeAxis,
} from "../shape.ts";
import type { Axes, KeepDims, Operation, Reduced, Reduction, SizesOf } from "../signature.ts";
import { cast, floating } from "./cast.ts";
import { eq, ne } from "./comparison.ts";
import { checkChoice, floated } from "./elementwise.ts";
import { repeat } from "./layout.ts";
import { checkTensor } from "./leaf.ts";
import { counted, keeping, reshape, sum, transpose } from "./movement.ts";
import { add, div, mul, sub, where } from "./pointwise.ts";
import { amax, amin } from "./reduction.ts";
import { flip, slice } from "./region.ts";
import { composed, kinked, ofRank, reduced } from "./sample.ts";

/**
 * What is done to tables of data: differences and sums of neighbours, copies side by side, quarter turns, sums of what is there.
 */

type Times = {
  readonly n?: number | undefined;
};

/**
 * The differences of neighbours along `axis`, the last unless given: entry `i + 1` less entry `i`, one entry fewer; `n` times over
 * (once unless given). Throws ShapeError for an axis that `x` does not have, ValueError unless `n` is a whole number of at least 0,
 * DTypeError for bool.
 *
 * @example
 * ```ts
 * import { diff, tensor } from "@cotangent/autograd";
 * diff(tensor([1, 4, 9, 16])).toArray(); // => 3,5,7
 * diff(tensor([1, 4, 9, 16]), 0, { n: 2 }).toArray(); // => 2,2
 * ```
 */
export const diff: Operation<[axis?: number, options?: Times]> = composed(
  "diff",
  (x: Tensor, axis = -1, options?: Times) => {
    const { n = 1 } = optionsOf("diff", options, { n: true });
    checkWhole("diff", "n", n, 0);
    refuseBool("diff", x.dtype);
    const along = { axis: normalizeAxis("diff", axis, x.shape) };
    let out: Tensor = x.node;
    for (let i = 0; i < n && out.shape[along.axis]! > 0; i++)
      out = sub(slice(out, 1, null, along), slice(out, 0, -1, along));
    return out;
  },
  ofRank(1, 3, (draw, shape) => [draw.axis(shape), { n: draw.integer(0, 2) }]),
);

/**
 * `x` laid out `repeats[i]` times along each axis, as by `repeat`; where there are fewer repeats than axes they are those of the last
 * axes. Throws ValueError unless they are whole numbers of at least 0.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "@cotangent/autograd";
 * tile(tensor([[1], [2]]), [3]).toArray(); // => [ [ 1, 1, 1 ], [ 2, 2, 2 ] ]
 * ```
 */
export const tile: Operation<[repeats: Shape]> = composed(
  "tile",
  (x: Tensor, repeats: Shape) => {
    checkShape("tile", repeats);
    return repeat(x, [...x.shape.slice(repeats.length).map(() => 1), ...repeats]);
  },
  ofRank(0, 2, (draw, shape) => [shape.slice(draw.integer(0, 1)).map(() => draw.integer(1, 3))]),
);

/**
 * The sum over one axis, several, or all, of what is not NaN; `keepDims` leaves size 1 there. bool counts as int32. The derivative at
 * NaN is 0.
 *
 * @example
 * ```ts
 * import { nansum, tensor } from "@cotangent/autograd";
 * nansum(tensor([1, NaN, 2])).item(); // => 3
 * ```
 */
export const nansum: Reduction = composed(
  "nansum",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => {
    const a = counted(x);
    const axes = normalizeAxes("nansum", axis, a.shape);
    return sum(where(ne(a, a), 0, a), axes, optionsOf("nansum", options, keeping));
  },
  reduced,
);

/**
 * The mean over one axis, several, or all, of what is not NaN; `keepDims` leaves size 1 there. Integers and bool are averaged as
 * float32. NaN where there is nothing else. The derivative at NaN is 0.
 *
 * @example
 * ```ts
 * import { nanmean, tensor } from "@cotangent/autograd";
 * nanmean(tensor([1, NaN, 2])).item(); // => 1.5
 * ```
 */
export const nanmean: Reduction = composed(
  "nanmean",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => {
    const a = floating(x);
    const axes = normalizeAxes("nanmean", axis, a.shape);
    const kept = optionsOf("nanmean", options, keeping);
    return div(nansum(a, axes, kept), sum(cast(eq(a, a), a.dtype), axes, kept));
  },
  reduced,
);

/** A range for each place of a reduction. */
type Extremes = <X extends Tensor, const A extends Axes = undefined, K extends boolean = false>(
  x: X,
  axis?: A,
  options?: KeepDims<K>,
) => { readonly min: Tensor<Reduced<SizesOf<X>, A, K>>; readonly max: Tensor<Reduced<SizesOf<X>, A, K>> };

/**
 * The smallest and the largest element over one axis, several, or all, as by `amin` and `amax`; both NaN if there is one. Throws
 * DTypeError for bool, ValueError where there are no elements.
 *
 * @kink Elements that tie share the gradient equally.
 *
 * @example
 * ```ts
 * import { aminmax, tensor } from "@cotangent/autograd";
 * const { min, max } = aminmax(tensor([[3, 1], [2, 4]]), 0);
 * min.toArray(); // => 2,1
 * max.toArray(); // => 3,4
 * ```
 */
export const aminmax: Extremes = composed(
  "aminmax",
  ((x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => {
    const kept = optionsOf("aminmax", options, keeping);
    const axes = normalizeAxes("aminmax", axis, x.shape);
    checkChoice("aminmax", x, axes);
    return { min: amin(x, axes, kept), max: amax(x, axes, kept) };
  }) as Extremes,
  (draw) => {
    const shape = draw.shape(1);
    return [draw.distinct(shape), draw.axisOrAll(shape), { keepDims: draw.coin() }];
  },
  kinked,
);

type Turn = {
  /** How many quarter turns, the other way round if negative; 1 unless given. */
  readonly k?: number | undefined;
  /** The plane, from its first axis to its second; the first two axes unless given. */
  readonly axes?: readonly [number, number] | undefined;
};

/**
 * `x` turned by `k` quarters in the plane of two axes, from the first towards the second. Throws ShapeError unless `x` has these
 * axes, ValueError unless they are two and `k` is a whole number.
 *
 * @example
 * ```ts
 * import { rot90, tensor } from "@cotangent/autograd";
 * rot90(tensor([[1, 2], [3, 4]])).toArray(); // => [ [ 2, 4 ], [ 1, 3 ] ]
 * rot90(tensor([[1, 2], [3, 4]]), { k: 2 }).toArray(); // => [ [ 4, 3 ], [ 2, 1 ] ]
 * ```
 */
export const rot90: Operation<[options?: Turn]> = composed(
  "rot90",
  (x: Tensor, options?: Turn) => {
    checkTensor("rot90", x);
    const { k = 1, axes = [0, 1] } = optionsOf("rot90", options, { k: true, axes: true });
    checkWhole("rot90", "k", k);
    const plane = listOf("rot90", axes);
    const [from, to] = plane.map((axis) => normalizeAxis("rot90", axis, x.shape));
    if (from === undefined || to === undefined || from === to || plane.length !== 2)
      throw new ValueError(
        `rot90: axes ${formatShape(plane)} of shape ${formatShape(x.shape)} are no plane; name two different ones`,
      );
    const quarters = ((k % 4) + 4) % 4;
    if (quarters === 0) return x.node;
    if (quarters === 2) return flip(x.node, [from, to]);
    return transpose(flip(x.node, quarters === 1 ? to : from), from, to);
  },
  ofRank(2, 3, (draw, shape) => {
    const from = draw.axis(shape);
    const step = draw.integer(1, shape.length - 1);
    const to = (from + step + shape.length) % shape.length;
    return [{ k: draw.integer(-5, 5), axes: [from, to] }];
  }),
);

type Spacing = {
  /** The places of the entries: one for each along the axis, or a tensor that broadcasts to `y`; 0, 1, 2, ... unless given. */
  readonly x?: Tensor | undefined;
  /** How far neighbours are apart, instead of `x`; 1 unless given. */
  readonly dx?: number | undefined;
  /** The last unless given. */
  readonly axis?: number | undefined;
};

/**
 * The integral along an axis of what goes straight from entry to entry of `y`: means of neighbours times their distance, summed
 * (the trapezoidal rule). 0 for less than two entries. Integers become float32. Throws ShapeError if `x` does not fit, ValueError for
 * `x` beside `dx`, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { tensor, trapezoid } from "@cotangent/autograd";
 * trapezoid(tensor([1, 3, 5])).item(); // => 6
 * trapezoid(tensor([1, 3, 5]), { x: tensor([0, 1, 4]) }).item(); // => 14
 * ```
 */
export const trapezoid: Operation<[options?: Spacing]> = composed(
  "trapezoid",
  (y: Tensor, options?: Spacing) => {
    const { x, dx, axis = -1 } = optionsOf("trapezoid", options, { x: true, dx: true, axis: true });
    const a = floated("trapezoid", y);
    const along = normalizeAxis("trapezoid", axis, a.shape);
    const [part, step] = [{ axis: along }, dx ?? 1];
    const ends = add(slice(a, 1, null, part), slice(a, 0, -1, part));
    if (x === undefined) {
      if (typeof step !== "number" || Number.isNaN(step))
        throw new ValueError(`trapezoid: dx is ${String(step)}; give a number, or places as x`);
      return mul(sum(ends, along), step / 2);
    }
    if (dx !== undefined) throw new ValueError("trapezoid: takes x or dx, and got both; leave one out");
    const places = floated("trapezoid: x", x);
    const line = a.shape.map((_, i) => (i === along ? places.size : 1));
    const whole = places.rank === 1 ? reshape(places, line) : places;
    if (!broadcastsTo(whole.shape, a.shape) || whole.shape[along - a.rank + whole.rank] !== a.shape[along])
      throw new ShapeError(
        `trapezoid: x ${formatShape(x.shape)} along axis ${axis} of shape ${formatShape(y.shape)}; it needs ` +
          `[${a.shape[along]}], or a shape that broadcasts to that of y`,
      );
    return div(sum(mul(ends, diff(whole, along - a.rank)), along), 2);
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    if (draw.coin()) return [draw.tensor(shape), { axis, dx: 0.5 }];
    const x = draw.tensor(draw.coin() ? shape : [shape.at(axis)!]);
    return [draw.tensor(shape), { axis, x }];
  },
);
