import { ShapeError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { checkShape, checkWhole, formatShape, normalizeAxis } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { cast } from "./cast.ts";
import type { Windows } from "./folding.ts";
import { countOf, folded, unfoldOp, windowsOf } from "./folding.ts";
import { composed, declare } from "./sample.ts";

/** All windows along one axis, and what they are added up to. */

function checkStep(name: string, step: number): void {
  checkWhole(name, "the step", step, 1);
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
    return windowsOf(a, windowsAlong(along, size, step, length));
  },
  unfoldOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    return [draw.tensor(shape), axis, draw.integer(1, shape.at(axis)!), draw.integer(1, 3)];
  },
);

/** A step beyond the axis gives the same one window; the step in here keeps offsets small. */
function windowsAlong(axis: number, size: number, step: number, length: number): Windows {
  return { axes: [axis], sizes: [size], steps: [Math.min(step, length + 1)], dilations: [1] };
}

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
    const a: Tensor = x.dtype === "bool" ? cast(x, "int32") : x.node;
    return folded(a, [size], windowsAlong(along, width, step, size));
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
