import { isFloat, refuseBool } from "../dtype.ts";
import { DTypeError, ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { broadcastShapes, equalShapes, formatShape, normalizeAxes, reducedShape, sizeOf } from "../shape.ts";
import type { Operation, ReductionBy } from "../signature.ts";
import { le, logicalAnd, logicalOr, lt, ne } from "./comparison.ts";
import { argsort, firstPlaces, nonzeroPlaces, picked } from "./indexing.ts";
import { checkTensor, describe, fill, fromElements } from "./leaf.ts";
import { broadcastTo, permute, reshape } from "./movement.ts";
import { add, minimum, mul, sub, where } from "./pointwise.ts";
import { composed, kinked } from "./sample.ts";
import { any, argmax } from "./statistics.ts";

/** Where elements are: their places, places for them in a sorted list, and what is at a place in order. */

/**
 * The places of the elements that are not 0 (or hold), row by row: int32 [count, rank]. It reads `x`; where the number of
 * places must not depend on elements, as inside `compile`, `where` is the way.
 *
 * @example
 * ```ts
 * import { nonzero, tensor } from "@cotangent/autograd";
 * nonzero(tensor([[0, 1], [2, 0]])).toArray(); // => [ [ 0, 1 ], [ 1, 0 ] ]
 * ```
 */
export const nonzero: Operation<[]> = composed(
  "nonzero",
  (x: Tensor) => {
    const flat = elementsOf(nonzeroPlaces("nonzero", x))!;
    const rank = x.rank;
    const out = new Int32Array(flat.length * rank);
    flat.forEach((place, i) => {
      let rest = place;
      for (let axis = rank - 1; axis >= 0; axis--) {
        out[i * rank + axis] = rest % x.shape[axis]!;
        rest = Math.floor(rest / x.shape[axis]!);
      }
    });
    return fromElements(out, [flat.length, rank]);
  },
  (draw) => [draw.bools(draw.shape())],
);

/**
 * The elements of `x` where `mask` (bool) holds, row by row, in a tensor of one axis; both are broadcast together. It reads
 * `mask`, and derivatives take it as fixed. Throws DTypeError for a mask that is not bool, ShapeError if they do not
 * broadcast.
 *
 * @example
 * ```ts
 * import { maskedSelect, tensor } from "@cotangent/autograd";
 * const x = tensor([[1, -2], [-3, 4]]);
 * maskedSelect(x, x.gt(0)).toArray(); // => 1,4
 * ```
 */
export const maskedSelect: Operation<[mask: Tensor]> = composed(
  "maskedSelect",
  (x: Tensor, mask: Tensor) => {
    checkTensor("maskedSelect: the mask", mask);
    if (mask.dtype !== "bool")
      throw new DTypeError(`maskedSelect: the mask is ${mask.dtype}; make it bool by a comparison or cast`);
    const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
    const places = nonzeroPlaces("maskedSelect", broadcastTo(mask, shape));
    return picked("maskedSelect", reshape(broadcastTo(x, shape), [sizeOf(shape)]), 0, places);
  },
  (draw) => {
    const [x, mask] = draw.broadcastable(2);
    return [draw.tensor(x!), draw.bools(mask!)];
  },
);

type Side = {
  /** Behind the elements that are equal, not in front of them. */
  readonly right?: boolean | undefined;
};

/**
 * How many elements of `sortedSequence` along its last axis are less than each of `values`, as int32: where it could be
 * inserted with the order kept. With `right`, elements that are equal count too. NaN is larger than any number. A sequence of one
 * axis serves values of any shape, otherwise all axes but the last must agree. That the sequence is in ascending order is not
 * checked. Throws ShapeError if they do not fit, DTypeError for bool.
 *
 * @example
 * ```ts
 * import { searchsorted, tensor } from "@cotangent/autograd";
 * searchsorted(tensor([1, 3, 5]), tensor([0, 3, 9])).toArray(); // => 0,1,3
 * searchsorted(tensor([1, 3, 5]), tensor([0, 3, 9]), { right: true }).toArray(); // => 0,2,3
 * ```
 */
export const searchsorted: Operation<[values: Tensor, options?: Side]> = composed(
  "searchsorted",
  (sortedSequence: Tensor, values: Tensor, options?: Side) => {
    const { right = false } = optionsOf("searchsorted", options, { right: "boolean" });
    checkTensor("searchsorted: values", values);
    for (const { dtype } of [sortedSequence, values]) refuseBool("searchsorted", dtype);
    const [rank, one] = [sortedSequence.rank, sortedSequence.rank === 1];
    const outer = sortedSequence.shape.slice(0, -1);
    if (rank === 0 || !(one || (values.rank === rank && equalShapes(outer, values.shape.slice(0, -1)))))
      throw new ShapeError(
        `searchsorted: a sequence of shape ${formatShape(sortedSequence.shape)} for values of shape ` +
          `${formatShape(values.shape)}; it has one axis, or all axes but the last agree`,
      );
    const wanted: Tensor = one ? reshape(values, [values.size]) : values.node;
    const axis = rank - 1;
    const count = sortedSequence.shape[axis]!;
    let found: Tensor = fill(0, wanted.shape, "int32");
    // The number of elements in front, bit by bit: a step is taken if all that it passes belong there.
    for (let step = count > 0 ? 2 ** (31 - Math.clz32(count)) : 0; step >= 1; step /= 2) {
      const next = add(found, step);
      const passed = picked("searchsorted", sortedSequence, axis, sub(minimum(next, count), 1));
      const before = logicalOr((right ? le : lt)(passed, wanted), ne(wanted, wanted));
      found = where(logicalAnd(le(next, count), before), next, found);
    }
    return reshape(found, values.shape);
  },
  (draw) => {
    const [n, m] = [draw.integer(1, 5), draw.integer(1, 4)];
    const outer = draw.shape(0, 2);
    const sequence = draw.distinct([...outer, n]);
    const order = argsort(sequence);
    return [
      picked("searchsorted", sequence, outer.length, order),
      outer.length === 0 ? draw.tensor(draw.shape()) : draw.tensor([...outer, m]),
      { right: draw.coin() },
    ];
  },
);

type Between = {
  readonly keepDims?: boolean | undefined;
  /** What stands for a place between two elements; "linear" unless given. */
  readonly interpolation?: "linear" | "lower" | "higher" | "nearest" | "midpoint" | undefined;
};

/** Whole numbers as they are, halves to the even neighbour. */
function nearest(x: number): number {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2) : Math.round(x);
}

/** The two places in order that `q` lies between, and how far it is from the first to the second. */
function rankOf(q: number, count: number, dtype: string, interpolation: string): [number, number, number] {
  const rank = dtype === "float32" ? Math.fround(Math.fround(q) * (count - 1)) : q * (count - 1);
  const [low, high] = [Math.floor(rank), Math.ceil(rank)];
  if (interpolation === "lower") return [low, low, 0];
  if (interpolation === "higher") return [high, high, 0];
  if (interpolation === "nearest") return [nearest(rank), nearest(rank), 0];
  return [low, high, low === high ? 0 : interpolation === "midpoint" ? 0.5 : rank - low];
}

const between: Known<Between> = { keepDims: "boolean", interpolation: true };
const interpolations = ["linear", "lower", "higher", "nearest", "midpoint"];

/**
 * The place `q` (from 0, the smallest element, to 1, the largest) in the order of the elements over one axis, several, or all:
 * between two elements by `interpolation`. NaN if there is one. Throws DTypeError unless `x` is float, ValueError for another
 * `q` and where there are no elements.
 *
 * @kink Where elements are equal, those that come first count as smaller; only the one or two elements at the place have a
 * gradient.
 *
 * @example
 * ```ts
 * import { quantile, tensor } from "@cotangent/autograd";
 * quantile(tensor([4, 1, 2]), 0.75).item(); // => 3
 * quantile(tensor([4, 1, 2]), 0.75, 0, { interpolation: "lower" }).item(); // => 2
 * ```
 */
export const quantile: ReductionBy<number, Omit<Between, "keepDims">> = composed(
  "quantile",
  (x: Tensor, q: number, axis?: number | readonly number[], options?: Between) => {
    if (typeof q !== "number")
      throw new ValueError(
        `quantile: q is one number from 0 to 1, got ${describe(q)}; call it for each of several`,
      );
    const { keepDims, interpolation = "linear" } = optionsOf("quantile", options, between);
    const axes = normalizeAxes("quantile", axis, x.shape);
    if (!isFloat(x.dtype))
      throw new DTypeError(`quantile: takes floats, got ${x.dtype}; cast to float32 first`);
    if (!(q >= 0 && q <= 1)) throw new ValueError(`quantile: q is ${q}; it lies from 0 to 1`);
    if (!interpolations.includes(interpolation))
      throw new ValueError(
        `quantile: unknown interpolation "${interpolation}"; there are ${interpolations.join(", ")}`,
      );
    const kept: Shape = reducedShape(x.shape, axes);
    const count = sizeOf(axes.map((i) => x.shape[i]!));
    if (count === 0 && sizeOf(kept) > 0)
      throw new ValueError(
        `quantile: there is no quantile of nothing: shape ${formatShape(x.shape)}; check for an empty tensor first`,
      );
    const out = reducedShape(x.shape, axes, keepDims);
    if (sizeOf(kept) === 0) return fill(0, out, x.dtype);
    const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const rows = reshape(permute(x, [...rest, ...axes]), [...kept, count]);
    const spoiled = any(ne(rows, rows), -1, { keepDims: true });
    const entry = (place: number) => {
      const found = firstPlaces(rows, kept.length, place + 1, { last: true });
      const chosen = where(spoiled, argmax(rows, kept.length, { keepDims: true }), found);
      return picked("quantile", rows, kept.length, chosen);
    };
    const [low, high, weight] = rankOf(q, count, x.dtype, interpolation);
    const start = entry(low);
    if (weight === 0) return reshape(start, out);
    const end = entry(high);
    const away = sub(end, start);
    return reshape(weight < 0.5 ? add(start, mul(away, weight)) : sub(end, mul(away, 1 - weight)), out);
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.integer(0, 3) === 0 ? undefined : draw.axis(shape);
    return [draw.distinct(shape), draw.real({ low: 0, high: 1 }), axis];
  },
  kinked,
);
