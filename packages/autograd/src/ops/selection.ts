import { isFloat, refuseBool } from "../dtype.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { equalShapes, formatShape, normalizeAxis, sizeOf } from "../shape.ts";
import type { Embedding, IndexSelect, ScatterAdd, UnaryWith } from "../signature.ts";
import { cast } from "./cast.ts";
import { ge, gt } from "./comparison.ts";
import { dropped, picked, scattered } from "./indexing.ts";
import { checkTensor, fill, iota } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { add, mul, sub, where } from "./pointwise.ts";
import { checkIndex, checkPlaces } from "./range.ts";
import { composed, kinked, ofRank } from "./sample.ts";

/** Entries chosen by indices: whole rows (embedding, indexSelect, indexAdd) or single elements (scatter). */

/**
 * Rows of `table` [count, ...features] at the int32 places in `index` of any shape: shape [...index, ...features]. Throws
 * ShapeError for a table without axes, DTypeError unless the index is int32, IndexError for places outside
 * `0 ... count - 1`.
 *
 * @example
 * ```ts
 * import { embedding, tensor } from "@cotangent/autograd";
 *
 * embedding(tensor([[1, 2], [3, 4]]), tensor([1, 0, 1], { dtype: "int32" })).toTypedArray(); // => 3,4,1,2,3,4
 * ```
 */
export const embedding: Embedding = composed(
  "embedding",
  (table: Tensor, index: Tensor) => {
    if (table.rank === 0)
      throw new ShapeError(
        "embedding: takes a table of vectors, got shape []; it needs one axis, reshape it",
      );
    if (table.dtype === "int32" && index instanceof Tensor && isFloat(index.dtype))
      throw new DTypeError("embedding: the table comes first, and then the int32 index; exchange them");
    checkPlaces("embedding", index, table.shape[0]!, 0);
    const flat = reshape(index, [index.size]);
    const spread = along(flat, 0, [index.size, ...table.shape.slice(1)]);
    return reshape(picked("embedding", table, 0, spread), [...index.shape, ...table.shape.slice(1)]);
  },
  ofRank(1, 3, (draw, shape) => [draw.indices(draw.shape(0, 2), shape[0]!)]),
);

/**
 * The entries of `axis` at the places that the int32 `index` of rank 1 names, in its order. Throws ShapeError for an index
 * of another rank, DTypeError unless it is int32, IndexError for places outside the axis.
 *
 * @example
 * ```ts
 * import { indexSelect, tensor } from "@cotangent/autograd";
 *
 * indexSelect(tensor([[1, 2, 3], [4, 5, 6]]), 1, tensor([2, 0], { dtype: "int32" })).toTypedArray(); // => 3,1,6,4
 * ```
 */
export const indexSelect: IndexSelect = composed(
  "indexSelect",
  (x: Tensor, axis: number, index: Tensor) => {
    const at = normalizeAxis("indexSelect", axis, x.shape);
    checkPlaces("indexSelect", index, x.shape[at]!, at);
    checkLine("indexSelect", index);
    return picked("indexSelect", x, at, along(index, at, x.shape.with(at, index.size)));
  },
  ofRank(1, 3, (draw, shape) => {
    const axis = draw.axis(shape);
    return [axis, draw.indices([draw.integer(1, 4)], shape.at(axis)!)];
  }),
);

/** What indexAdd may be told. */
type Scaled = {
  /** A factor on the source, 1 unless given. */
  readonly alpha?: number | undefined;
};

/**
 * `x` with entry `i` of `source` along `axis`, times `alpha`, added to the entry at place `index[i]`. `index` is int32 of
 * rank 1; places that are named again add up. Throws ShapeError or DTypeError if `source` does not fit, IndexError for
 * places outside the axis.
 *
 * @example
 * ```ts
 * import { indexAdd, tensor } from "@cotangent/autograd";
 *
 * indexAdd(tensor([1, 1, 1]), 0, tensor([2, 2], { dtype: "int32" }), tensor([3, 4])).toTypedArray(); // => 1,1,8
 * ```
 */
export const indexAdd: UnaryWith<[axis: number, index: Tensor, source: Tensor, options?: Scaled]> = composed(
  "indexAdd",
  (x: Tensor, axis: number, index: Tensor, source: Tensor, options?: Scaled) => {
    const { alpha = 1 } = optionsOf("indexAdd", options, { alpha: true });
    const at = normalizeAxis("indexAdd", axis, x.shape);
    checkPlaces("indexAdd", index, x.shape[at]!, at);
    checkLine("indexAdd", index);
    checkSource("indexAdd", x, source, x.shape.with(at, index.size));
    refuseBool("indexAdd", x.dtype);
    if (x.dtype === "int32" && !Number.isInteger(alpha))
      throw new DTypeError(`indexAdd: alpha is ${alpha} for int32; cast to float32 first`);
    const scaled = alpha === 1 ? source : mul(source, alpha);
    return add(x, dropped("indexAdd", scaled, at, along(index, at, source.shape), x.shape[at]!));
  },
  ofRank(1, 3, (draw, shape) => {
    const axis = draw.axis(shape);
    const index = draw.indices([draw.integer(1, 4)], shape.at(axis)!);
    return [axis, index, draw.tensor(shape.with(axis, index.size)), { alpha: 1.5 }];
  }),
);

/**
 * `x` with the elements of `source` in place of those that `index` names along `axis`: `out[index[i][j]][j] = source[i][j]`
 * (for axis 0). `index` is int32 and has the shape of `source`. Where a place is named again the last element wins, and it
 * alone gets the gradient. Throws ShapeError, DTypeError or IndexError if they do not fit `x`.
 *
 * @kink Where a place is named again, the last element that names it has all of the gradient (PyTorch leaves it undefined).
 *
 * @example
 * ```ts
 * import { scatter, tensor } from "@cotangent/autograd";
 *
 * scatter(tensor([1, 2, 3]), 0, tensor([2, 0], { dtype: "int32" }), tensor([8, 9])).toTypedArray(); // => 9,2,8
 * ```
 */
export const scatter: ScatterAdd = composed(
  "scatter",
  (x: Tensor, axis: number, index: Tensor, source: Tensor) => {
    const at = normalizeAxis("scatter", axis, x.shape);
    checkIndex("scatter", index, x.shape, at);
    checkSource("scatter", x, source, x.shape.with(at, index.shape[at]!));
    if (!equalShapes(index.shape, source.shape))
      throw new ShapeError(
        `scatter: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} must have one shape`,
      );
    return written("scatter", x, at, index, source);
  },
  scattered,
  kinked,
);

/**
 * `x` with the elements of `source` at the places that `index` names along `axis`, for the function `caller`. On other axes `index` may
 * have one place, for all.
 */
export function written(caller: string, x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  if (sizeOf(index.shape) === 0) return x.node;
  const size = x.shape[axis]!;
  const last = lastWriters(caller, index, axis, size);
  const order = along(iota([index.shape[axis]!]), axis, index.shape);
  // One more than the place of the writer, 0 where nothing is written.
  const one = fill(1, index.shape, "int32");
  const writer = dropped(caller, mul(add(order, one), cast(last, "int32")), axis, index, size);
  const from = where(gt(writer, 0), sub(writer, fill(1, writer.shape, "int32")), 0);
  const isWritten = broadcastTo(gt(writer, 0), x.shape);
  return where(isWritten, picked(caller, source, axis, broadcastTo(from, x.shape)), x);
}

/**
 * Which elements of `index` are the last along `axis` to name their place. Bit by bit from the highest: if any candidate for
 * a place has the bit in its position, those without it drop out. So it takes log2 many sums, and no table of all pairs.
 */
function lastWriters(caller: string, index: Tensor, axis: number, size: number): Tensor {
  const count = index.shape[axis]!;
  let left = fill(1, index.shape, "int32");
  let rest = along(iota([count]), axis, index.shape);
  for (let bit = 2 ** Math.max(0, 31 - Math.clz32(count - 1)); bit >= 1; bit /= 2) {
    const set = cast(ge(rest, bit), "int32");
    rest = sub(rest, mul(set, bit));
    const high = mul(left, set);
    const any = gt(picked(caller, dropped(caller, high, axis, index, size), axis, index), 0);
    left = where(any, high, left);
  }
  return gt(left, 0);
}

/** A tensor of rank 1 along `axis` of `shape`, the same for all other places. */
function along(line: Tensor, axis: number, shape: readonly number[]): Tensor {
  const ones = shape.map((_, i) => (i === axis ? line.size : 1));
  return broadcastTo(reshape(line, ones), shape);
}

function checkLine(name: string, index: Tensor): void {
  if (index.rank !== 1)
    throw new ShapeError(
      `${name}: the index has shape ${formatShape(index.shape)}; it needs one axis, reshape it`,
    );
}

function checkSource(name: string, x: Tensor, source: Tensor, shape: readonly number[]): void {
  checkTensor(`${name}: the source`, source);
  if (source.dtype !== x.dtype)
    throw new DTypeError(
      `${name}: the source is ${source.dtype} and x is ${x.dtype}; cast one to the other's`,
    );
  if (!equalShapes(source.shape, shape))
    throw new ShapeError(
      `${name}: the source has shape ${formatShape(source.shape)}; it needs ${formatShape(shape)}`,
    );
}
