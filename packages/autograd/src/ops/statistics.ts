/** Reductions that describe a sample: spread, norms, order statistics, counts. */
import { DTypeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { formatShape, normalizeAxes, normalizeAxis, reducedShape, sizeOf } from "../shape.ts";
import type { ArgReduction, Reduction } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, logicalNot, logicalOr, ne } from "./comparison.ts";
import { iota } from "./leaf.ts";
import { broadcastTo, reshape, sum } from "./movement.ts";
import { where } from "./pointwise.ts";
import { amax, amin } from "./reduction.ts";
import type { Draw } from "./sample.ts";
import { alongAxis, composed } from "./sample.ts";

interface KeepDims {
  readonly keepDims?: boolean;
}
type Axes = number | readonly number[] | undefined;

/** How many elements hold along the axes. */
function count(name: string, holds: Tensor, axis: Axes, options: KeepDims): Tensor {
  return sum(cast(holds, "int32"), normalizeAxes(name, axis, holds.shape), options);
}

const nonzero = (x: Tensor): Tensor => (x.dtype === "bool" ? x.node : ne(x, 0));

/** How many elements are not 0, over one axis, several, or all, as int32. NaN is not 0. */
export const countNonzero: Reduction = composed(
  "countNonzero",
  (x: Tensor, axis?: Axes, options: KeepDims = {}) => count("countNonzero", nonzero(x), axis, options),
  alongAxis(),
);

/** Is any element true (numbers: not 0), over one axis, several, or all? The answer over nothing is false. */
export const any: Reduction = composed(
  "any",
  (x: Tensor, axis?: Axes, options: KeepDims = {}) => ne(count("any", nonzero(x), axis, options), 0),
  alongAxis(),
);

/** Are all elements true (numbers: not 0), over one axis, several, or all? The answer over nothing is true. */
export const all: Reduction = composed(
  "all",
  (x: Tensor, axis?: Axes, options: KeepDims = {}) =>
    eq(count("all", logicalNot(nonzero(x)), axis, options), 0),
  alongAxis(),
);

/** The first place of the extreme element; a NaN counts as more extreme than any number. */
function place(name: string, extreme: Reduction): ArgReduction {
  return composed(
    name,
    (x: Tensor, axis?: number, { keepDims = false }: KeepDims = {}) => {
      if (x.dtype === "bool") throw new DTypeError(`${name}: takes no bool; cast to int32 first`);
      const a: Tensor = axis === undefined ? reshape(x.node, [sizeOf(x.shape)]) : x.node;
      const along = normalizeAxis(name, axis ?? 0, a.shape);
      const size = a.shape[along]!;
      const out = reducedShape(a.shape, [along]);
      if (size === 0 && sizeOf(out) > 0)
        throw new ValueError(
          `${name}: there is no ${name} of nothing: shape ${formatShape(x.shape)}; check for an empty tensor first`,
        );
      const most = broadcastTo(extreme(a, along, { keepDims: true }), a.shape);
      const places = broadcastTo(
        reshape(
          iota([size]),
          a.shape.map((n, i) => (i === along ? n : 1)),
        ),
        a.shape,
      );
      const found = amin(where(logicalOr(eq(a, most), ne(a, a)), places, size), along);
      const axes = axis === undefined ? x.shape.map((_, i) => i) : [along];
      return reshape(found, reducedShape(x.shape, axes, keepDims));
    },
    (draw: Draw) => {
      const shape = draw.shape(1);
      return [draw.distinct(shape), draw.integer(0, 3) === 0 ? undefined : draw.axis(shape)];
    },
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
