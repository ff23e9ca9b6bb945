/** Order along an axis: sorting, the largest few, the middle. */
import { isFloat } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { normalizeAxis, sizeOf } from "../shape.ts";
import type { ArgReduction, KeepDims, Sort, Sorted, SortOptions, TopK, TopKOptions } from "../signature.ts";
import { eq, gt, ne } from "./comparison.ts";
import { choice } from "./elementwise.ts";
import { argsort, firstPlaces, ordered, picked } from "./indexing.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { where } from "./pointwise.ts";
import { amax, amin } from "./reduction.ts";
import { slice } from "./region.ts";
import { composed, kinked, ofDistinct } from "./sample.ts";
import { any, argmax } from "./statistics.ts";

/**
 * The elements along `axis`, the last unless given, in ascending order or descending, and their int32 indices. NaN counts as
 * larger than any number; equal elements keep their order. Throws ShapeError for an axis that `x` does not have.
 *
 * @kink Where elements are equal, they keep their order, and each its gradient.
 *
 * @example
 * ```ts
 * import { sort, tensor } from "@cotangent/autograd";
 *
 * sort(tensor([3, 1, 2])).values.toTypedArray(); // => 1,2,3
 * sort(tensor([3, 1, 2])).indices.toTypedArray(); // => 1,2,0
 * ```
 */
export const sort: Sort = composed(
  "sort",
  ((x: Tensor, axis = -1, options?: SortOptions): Sorted => {
    const along = normalizeAxis("sort", axis, x.shape);
    const indices = argsort(x, along, optionsOf("sort", options, { descending: "boolean" }));
    return { values: picked("sort", x, along, indices), indices };
  }) as Sort,
  ordered,
  kinked,
);

/**
 * The `k` largest elements along `axis`, the last unless given, largest first (or the smallest, smallest first), and their
 * int32 indices. Throws ValueError unless `k` is a whole number from 0 to the size of the axis.
 *
 * @kink Where elements are equal, those that come first are chosen.
 *
 * @example
 * ```ts
 * import { tensor, topk } from "@cotangent/autograd";
 *
 * topk(tensor([3, 1, 4, 1]), 2).values.toTypedArray(); // => 4,3
 * topk(tensor([3, 1, 4, 2]), 2, { largest: false }).indices.toTypedArray(); // => 1,3
 * ```
 */
export const topk: TopK = composed(
  "topk",
  ((x: Tensor, k: number, options?: TopKOptions): Sorted => {
    const { axis = -1, largest = true } = optionsOf("topk", options, { axis: true, largest: "boolean" });
    const along = normalizeAxis("topk", axis, x.shape);
    const size = x.shape[along]!;
    if (!Number.isInteger(k) || k < 0 || k > size)
      throw new ValueError(
        `topk: k is ${k} along axis ${along} of size ${size}; give a whole number from 0 to ${size}`,
      );
    const indices = firstPlaces(x, along, k, { descending: largest });
    return { values: picked("topk", x, along, indices), indices };
  }) as TopK,
  ofDistinct((draw, shape) => {
    const axis = draw.axis(shape);
    return [draw.integer(0, shape.at(axis)!), { axis, largest: draw.coin() }];
  }),
  kinked,
);

/** The place of the middle along an axis, which stays with size 1: the first NaN if there is one. */
function middle(a: Tensor, along: number): Tensor {
  const half = (a.shape[along]! - 1) >> 1;
  const place = firstPlaces(a, along, half + 1, { last: true });
  if (!isFloat(a.dtype)) return place;
  const spoiled = any(ne(a, a), along, { keepDims: true });
  return where(spoiled, argmax(a, along, { keepDims: true }), place);
}

/**
 * The element in the middle along `axis`, or of everything: of an even number the lower one of the two; NaN if there is one.
 * Throws DTypeError for bool, ValueError where there are no elements.
 *
 * @kink Where elements tie along an axis, the first of them in the middle has the gradient; over everything they share it
 * equally.
 *
 * @example
 * ```ts
 * import { median, tensor } from "@cotangent/autograd";
 *
 * median(tensor([4, 1, 3, 2])).item(); // => 2
 * ```
 */
export const median: ArgReduction = composed(
  "median",
  (x: Tensor, axis?: number, options?: KeepDims<boolean>) => {
    const { a, along, out } = choice("median", x, axis, options);
    if (sizeOf(out) === 0) return reshape(slice(a, 0, 0, { axis: along }), out);
    const found = picked("median", a, along, middle(a, along));
    if (axis !== undefined || !isFloat(a.dtype)) return reshape(found, out);
    // The most extreme of what equals the median is the median, and there those that tie share the gradient.
    const equal = eq(a, broadcastTo(found, a.shape));
    const tied = where(
      gt(found, 0),
      amax(where(equal, a, -Infinity), 0, { keepDims: true }),
      amin(where(equal, a, Infinity), 0, { keepDims: true }),
    );
    return reshape(where(ne(found, found), found, tied), out);
  },
  ofDistinct((draw, shape) => [draw.axisOrAll(shape)]),
  kinked,
);
