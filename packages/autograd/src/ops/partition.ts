import { ShapeError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { checkWhole, formatShape, listOf, normalizeAxis } from "../shape.ts";
import type { Chunk, PartOptions, Split, Unbind } from "../signature.ts";
import { squeeze } from "./movement.ts";
import { slice } from "./region.ts";
import { alongAxis, composed, ofRank } from "./sample.ts";

/** One tensor cut into several. */

/** The axis that the options of the function `name` tell. */
const axisOf = (name: string, options: PartOptions | undefined, { shape }: Tensor): number =>
  normalizeAxis(name, optionsOf(name, options, { axis: true }).axis ?? 0, shape);

/** Parts of the given sizes along an axis, which they fill. */
function parts(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return slice(x, start - size, start, { axis });
  });
}

/** `count` entries in parts of `size`, the last one shorter if need be; one empty part of nothing. */
function equalSizes(count: number, size: number): number[] {
  const pieces = Math.max(1, Math.ceil(count / size));
  return Array.from({ length: pieces }, (_, i) => Math.min(size, count - i * size));
}

/**
 * Parts of `size` entries along `axis` (the last may be shorter), or of the given sizes. Throws ShapeError if given sizes do not
 * add up to the axis, ValueError for a size that is no whole number of at least 1 (0 in a list).
 *
 * @example
 * ```ts
 * import { split, tensor } from "@cotangent/autograd";
 * split(tensor([1, 2, 3]), 2).map((part) => part.toArray()); // => [ [ 1, 2 ], [ 3 ] ]
 * const [one, two] = split(tensor([1, 2, 3]), [1, 2]);
 * two.sub(one).toArray(); // => 1,2
 * ```
 */
export const split: Split = composed(
  "split",
  ((x: Tensor, size: number | readonly number[], options?: PartOptions) => {
    const along = axisOf("split", options, x);
    const count = x.shape[along]!;
    if (typeof size === "number") checkWhole("split", "the size", size, 1);
    else for (const value of listOf("split", size)) checkWhole("split", "a size", value, 0);
    const sizes = typeof size === "number" ? equalSizes(count, size) : size;
    if (sizes.reduce((sum, value) => sum + value, 0) !== count)
      throw new ShapeError(
        `split: sizes ${formatShape(sizes)} do not add up to axis ${along} of shape ${formatShape(x.shape)}`,
      );
    return parts(x, sizes, along);
  }) as Split,
  ofRank(1, 3, (draw, shape) => [draw.integer(1, 3), { axis: draw.axis(shape) }]),
);

/**
 * At most `chunks` parts of equal size along `axis`, the last one shorter if need be. Throws ValueError unless `chunks` is a
 * whole number of at least 1.
 */
export const chunk: Chunk = composed(
  "chunk",
  ((x: Tensor, chunks: number, options?: PartOptions) => {
    checkWhole("chunk", "the number of chunks", chunks, 1);
    const along = axisOf("chunk", options, x);
    const count = x.shape[along]!;
    return parts(x, equalSizes(count, Math.max(1, Math.ceil(count / chunks))), along);
  }) as Chunk,
  ofRank(1, 3, (draw, shape) => [draw.integer(1, 3), { axis: draw.axis(shape) }]),
);

/** The entries along `axis` (the first unless given), each without that axis. */
export const unbind: Unbind = composed(
  "unbind",
  ((x: Tensor, axis: number = 0) => {
    const along = normalizeAxis("unbind", axis, x.shape);
    const entries = parts(x, new Array<number>(x.shape[along]!).fill(1), along);
    return entries.map((entry) => squeeze(entry, along));
  }) as Unbind,
  alongAxis(),
);
