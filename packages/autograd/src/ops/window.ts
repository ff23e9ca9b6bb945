import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { checkShape, formatShape, normalizeAxis, stridesOf } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { cast } from "./cast.ts";
import { dropped } from "./indexing.ts";
import { iota } from "./leaf.ts";
import { broadcastTo, permute, reshape } from "./movement.ts";
import { add, mul } from "./pointwise.ts";
import { composed, declare } from "./sample.ts";
import { view } from "./view.ts";

/** Windows that slide along an axis and may overlap. unfold and fold are each other's adjoint. */

type Windows = { readonly axis: number; readonly size: number; readonly step: number };

const unfoldOp = view<Windows>({
  name: "unfold",
  map: (shape, { axis, step }) => {
    const strides = stridesOf(shape);
    return {
      offset: 0,
      strides: [...strides.with(axis, strides[axis]! * step), strides[axis]!],
      bounds: null,
    };
  },
  shape: (shape, { axis, size, step }) => [...shape.with(axis, countOf(shape[axis]!, size, step)), size],
  transpose: (g, shape, { axis, step }) => folded(g, axis, shape[axis]!, step),
});

/** How many windows of `size` entries start `step` entries apart on an axis of `length`. */
function countOf(length: number, size: number, step: number): number {
  return Math.floor((length - size) / step) + 1;
}

/** The windows in the last axis of `x`, numbered along `axis`, added up on an axis of `length`. */
function folded(x: Tensor, axis: number, length: number, step: number): Tensor {
  const last = x.rank - 1;
  const [count, size] = [x.shape[axis]!, x.shape[last]!];
  const order = x.shape.slice(0, last).flatMap((_, i) => (i === axis ? [i, last] : [i]));
  const shape = x.shape.slice(0, last).with(axis, count * size);
  const starts = broadcastTo(reshape(mul(iota([count]), Math.min(step, length)), [count, 1]), [count, size]);
  const places = add(starts, broadcastTo(iota([size]), [count, size]));
  const column: Shape = shape.map((n, i) => (i === axis ? n : 1));
  const index = broadcastTo(reshape(places, column), shape);
  return dropped("fold", reshape(permute(x, order), shape), axis, index, length);
}

function checkStep(name: string, step: number): void {
  if (!Number.isInteger(step) || step < 1)
    throw new ValueError(`${name}: the step is a whole number of at least 1, got ${step}`);
}

/**
 * All windows of `size` entries along `axis`, `step` entries apart: the axis counts the windows, and a new last axis holds their
 * entries. Throws ShapeError if the axis is shorter than a window, ValueError for sizes that are not whole numbers.
 *
 * @example
 * ```ts
 * import { tensor, unfold } from "@cotangent/autograd";
 * unfold(tensor([1, 2, 3, 4]), 0, 2, 1).toArray(); // => [ [ 1, 2 ], [ 2, 3 ], [ 3, 4 ] ]
 * ```
 */
export const unfold: Operation<[axis: number, size: number, step: number]> = declare(
  "unfold",
  (x: Tensor, axis: number, size: number, step: number) => {
    const a = x.node;
    const along = normalizeAxis("unfold", axis, a.shape);
    const length = a.shape[along]!;
    checkShape("unfold", [size]);
    checkStep("unfold", step);
    if (size > length)
      throw new ShapeError(
        `unfold: windows of ${size} entries do not fit on axis ${along} of shape ${formatShape(a.shape)}; pad it first`,
      );
    checkShape("unfold", [...a.shape.with(along, countOf(length, size, step)), size]);
    // A larger step gives the same one window; this one keeps offsets small.
    return apply(unfoldOp, [a], { axis: along, size, step: Math.min(step, length + 1) });
  },
  unfoldOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    return [draw.tensor(shape), axis, draw.integer(1, shape.at(axis)!), draw.integer(1, 3)];
  },
);

/**
 * The windows that `unfold` gave, added up where they came from: `axis` of the result has `size` entries, those in no window are 0.
 * bool counts as int32. Throws ShapeError unless these are the windows of such an axis.
 *
 * @example
 * ```ts
 * import { fold, ones } from "@cotangent/autograd";
 * fold(ones([3, 2]), 0, 4, 1).toArray(); // => 1,2,2,1
 * ```
 */
export const fold: Operation<[axis: number, size: number, step: number]> = composed(
  "fold",
  (x: Tensor, axis: number, size: number, step: number) => {
    const along = normalizeAxis("fold", axis, x.shape.slice(0, -1));
    checkShape("fold", x.shape.slice(0, -1).with(along, size));
    checkStep("fold", step);
    const [count, width] = [x.shape[along]!, x.shape[x.rank - 1]!];
    if (width > size || count !== countOf(size, width, step))
      throw new ShapeError(
        `fold: ${count} windows of ${width} entries in steps of ${step} do not come from an axis of size ${size}; ` +
          "give the size that the axis had before unfold",
      );
    return folded(x.dtype === "bool" ? cast(x, "int32") : x.node, along, size, step);
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const along = axis < 0 ? axis + shape.length : axis;
    const [length, step] = [shape[along]!, draw.integer(1, 3)];
    const size = draw.integer(1, length);
    return [draw.tensor([...shape.with(along, countOf(length, size, step)), size]), axis, length, step];
  },
);
