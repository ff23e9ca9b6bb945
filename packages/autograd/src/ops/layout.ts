import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { checkList, checkShape, checkWhole, formatShape, listOf, normalizeAxis, sizeOf } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { broadcastTo, permute, reshape } from "./movement.ts";
import { composed, ofRank } from "./sample.ts";

/** Axes joined, parted, moved and repeated: compositions of reshape, permute and broadcastTo. */

/**
 * The axes from `startAxis` (0 unless given) to `endAxis` (the last) joined into one; a tensor without axes gets one. Throws
 * ShapeError if there are no such axes or they stand in the wrong order.
 *
 * @example
 * ```ts
 * import { flatten, zeros } from "@cotangent/autograd";
 * flatten(zeros([2, 3, 4]), 1).shape; // => [ 2, 12 ]
 * ```
 */
export const flatten: Operation<[startAxis?: number, endAxis?: number]> = composed(
  "flatten",
  (x: Tensor, startAxis = 0, endAxis = -1) => {
    const shape = x.rank === 0 ? [1] : x.shape;
    const start = normalizeAxis("flatten", startAxis, shape);
    const end = normalizeAxis("flatten", endAxis, shape);
    if (start > end)
      throw new ShapeError(
        `flatten: axis ${startAxis} is behind axis ${endAxis} of shape ${formatShape(shape)}; exchange them`,
      );
    return reshape(x, [
      ...shape.slice(0, start),
      sizeOf(shape.slice(start, end + 1)),
      ...shape.slice(end + 1),
    ]);
  },
  ofRank(1, 3, (draw, shape) => {
    const start = draw.integer(0, shape.length - 1);
    return [start, draw.integer(start, shape.length - 1)];
  }),
);

/**
 * Axis `source` (or several) moved to place `destination` (as many) of the result; the others keep their order. Throws
 * ShapeError for axes that do not exist or come twice.
 *
 * @example
 * ```ts
 * import { movedim, zeros } from "@cotangent/autograd";
 * movedim(zeros([2, 3, 4]), 0, -1).shape; // => [ 3, 4, 2 ]
 * ```
 */
export const movedim: Operation<
  [source: number | readonly number[], destination: number | readonly number[]]
> = composed(
  "movedim",
  (x: Tensor, source: number | readonly number[], destination: number | readonly number[]) => {
    const [from, to] = [source, destination].map((axes) =>
      listOf("movedim", axes).map((axis) => normalizeAxis("movedim", axis, x.shape)),
    ) as [number[], number[]];
    if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length)
      throw new ShapeError(
        `movedim: sources ${formatShape(from)} and destinations ${formatShape(to)}; name each axis once, and as many of both`,
      );
    const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
    const order = x.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)]! : rest.shift()!));
    return permute(x, order);
  },
  ofRank(1, 3, (draw, shape) => [draw.axis(shape), draw.axis(shape)]),
);

/**
 * `x` stretched to `sizes` as by `broadcastTo`, where -1 keeps the size of an axis. Throws ShapeError if that does not fit.
 */
export const expand: Operation<[sizes: Shape]> = composed(
  "expand",
  (x: Tensor, sizes: Shape) => {
    checkList("expand", sizes);
    const added = sizes.length - x.rank;
    const target = sizes.map((size, i) => (size === -1 && i >= added ? x.shape[i - added]! : size));
    checkShape("expand", target);
    const fits = added >= 0 && x.shape.every((size, i) => size === 1 || size === target[i + added]);
    if (!fits)
      throw new ShapeError(
        `expand: shape ${formatShape(x.shape)} does not stretch to ${formatShape(sizes)}; only axes of size 1 stretch`,
      );
    return broadcastTo(x, target);
  },
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape.map((size) => (draw.coin() ? 1 : size))), [2, ...shape]];
  },
);

/**
 * `x` laid out `repeats[i]` times along each axis; more repeats than axes add axes in front, as in PyTorch. Throws ShapeError
 * if there are fewer, ValueError unless they are whole numbers of at least 0.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from "@cotangent/autograd";
 * repeat(tensor([1, 2]), [2]).toArray(); // => 1,2,1,2
 * ```
 */
export const repeat: Operation<[repeats: Shape]> = composed(
  "repeat",
  (x: Tensor, repeats: Shape) => {
    checkShape("repeat", repeats);
    const added = repeats.length - x.rank;
    if (added < 0)
      throw new ShapeError(
        `repeat: ${repeats.length} repeats for the ${x.rank} axes of shape ${formatShape(x.shape)}; give one for each`,
      );
    const shape = [...repeats.slice(0, added).map(() => 1), ...x.shape];
    const out = shape.map((size, i) => size * repeats[i]!);
    checkShape("repeat", out);
    const apart = reshape(
      x,
      shape.flatMap((size) => [1, size]),
    );
    const laid = broadcastTo(
      apart,
      shape.flatMap((size, i) => [repeats[i]!, size]),
    );
    return reshape(laid, out);
  },
  ofRank(0, 2, (draw, shape) => [[2, ...shape.map(() => draw.integer(1, 3))]]),
);

/**
 * Each entry of `x` `repeats` times in a row along `axis`, or without `axis` each element of the flattened tensor. Throws
 * ValueError unless `repeats` is a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { repeatInterleave, tensor } from "@cotangent/autograd";
 * repeatInterleave(tensor([1, 2]), 2).toArray(); // => 1,1,2,2
 * ```
 */
export const repeatInterleave: Operation<[repeats: number, axis?: number]> = composed(
  "repeatInterleave",
  (x: Tensor, repeats: number, axis?: number) => {
    checkWhole("repeatInterleave", "repeats", repeats, 0);
    const flat = axis === undefined ? reshape(x, [x.size]) : x;
    const along = normalizeAxis("repeatInterleave", axis ?? 0, flat.shape);
    const [before, after] = [flat.shape.slice(0, along + 1), flat.shape.slice(along + 1)];
    const spread = broadcastTo(reshape(flat, [...before, 1, ...after]), [...before, repeats, ...after]);
    return reshape(
      spread,
      flat.shape.map((size, i) => (i === along ? size * repeats : size)),
    );
  },
  ofRank(1, 3, (draw, shape) => [draw.integer(1, 3), draw.axis(shape)]),
);

/**
 * `axis` parted into axes of `sizes`, one of which may be -1 for the size that fits: the inverse of flatten. Throws ShapeError
 * if they do not multiply to the size of the axis.
 *
 * @example
 * ```ts
 * import { unflatten, zeros } from "@cotangent/autograd";
 * unflatten(zeros([2, 12]), 1, [3, -1]).shape; // => [ 2, 3, 4 ]
 * ```
 */
export const unflatten: Operation<[axis: number, sizes: Shape]> = composed(
  "unflatten",
  (x: Tensor, axis: number, sizes: Shape) => {
    const along = normalizeAxis("unflatten", axis, x.shape);
    const size = x.shape[along]!;
    checkList("unflatten", sizes);
    const open = sizes.indexOf(-1);
    const known = sizeOf(sizes.filter((_, i) => i !== open));
    const found = open < 0 ? sizes : sizes.with(open, known === 0 ? 0 : Math.floor(size / known));
    checkShape("unflatten", found);
    if (sizes.length === 0 || sizeOf(found) !== size || (open >= 0 && known === 0))
      throw new ShapeError(
        `unflatten: sizes ${formatShape(sizes)} do not multiply to ${size}, the size of axis ${along} of shape ` +
          formatShape(x.shape),
      );
    return reshape(x, [...x.shape.slice(0, along), ...found, ...x.shape.slice(along + 1)]);
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const factor = draw.integer(1, 3);
    const size = shape.at(axis)!;
    return [draw.tensor(shape.with(axis, size * factor)), axis, [factor, draw.coin() ? -1 : size]];
  },
);

type Indexing = {
  /** Which axis is the first vector's: the first ("ij", unless given), or the second, as in plots ("xy"). */
  readonly indexing?: "ij" | "xy" | undefined;
};

/** Vectors in, as many tensors with one axis for each vector out. */
type Meshgrid = (xs: readonly Tensor[], options?: Indexing) => Tensor[];

/**
 * The coordinates of a grid: tensor number i has the entries of vector i along axis i and repeats them along all others; with
 * `indexing: "xy"` the first two axes change place. Throws ValueError if there are none, ShapeError for more than one axis;
 * single numbers count as vectors of one entry.
 *
 * @example
 * ```ts
 * import { arange, meshgrid } from "@cotangent/autograd";
 * meshgrid([arange(2), arange(3)])[0].toArray(); // => [ [ 0, 0, 0 ], [ 1, 1, 1 ] ]
 * ```
 */
export const meshgrid: Meshgrid = composed(
  "meshgrid",
  (xs: readonly Tensor[], options?: Indexing) => {
    const { indexing = "ij" } = optionsOf("meshgrid", options, { indexing: true });
    if (!Array.isArray(xs) || xs.length === 0)
      throw new ValueError("meshgrid: takes an array of at least one vector");
    if (indexing !== "ij" && indexing !== "xy")
      throw new ValueError(`meshgrid: unknown indexing "${indexing}"; it is "ij" or "xy"`);
    for (const x of xs)
      if (x.rank > 1)
        throw new ShapeError(`meshgrid: takes vectors, got shape ${formatShape(x.shape)}; flatten it first`);
    const order = xs.map((_, i) => i);
    if (indexing === "xy" && xs.length > 1) order.splice(0, 2, 1, 0);
    const shape = order.map((i) => xs[i]!.size);
    checkShape("meshgrid", shape);
    return xs.map((x, i) => {
      const line = order.map((j) => (i === j ? x.size : 1));
      return broadcastTo(reshape(x, line), shape);
    });
  },
  (draw) => [
    Array.from({ length: draw.integer(1, 3) }, () => draw.tensor(draw.shape(1, 1))),
    { indexing: draw.coin() ? "ij" : "xy" },
  ],
);
