import { ShapeError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { checkList, formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { floated } from "./elementwise.ts";
import { fromElements } from "./leaf.ts";
import { broadcastTo, reshape, sum } from "./movement.ts";
import { where } from "./pointwise.ts";
import { divided, drawField, largestOp } from "./pooling.ts";
import { composed, kinked } from "./sample.ts";
import { indexSelect } from "./selection.ts";
import { drawSizes, inBatch, outOfBatch, perAxis } from "./spatial.ts";

/** Pools that are told how many parts to make of each axis; one axis after the other. */

type AdaptivePool = Operation<[outputSize: number | readonly (number | null)[]]>;

/** A part of one axis for each entry of the result: from here, up to there. */
function partsOf(length: number, count: number): (readonly [from: number, to: number])[] {
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * length) / count),
    Math.ceil(((i + 1) * length) / count),
  ]);
}

/** One axis in `count` parts: it counts the parts, and the next one their entries, `blank` where a part has fewer. */
function parted(x: Tensor, axis: number, count: number, blank: number): Tensor {
  const length = x.shape[axis]!;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  if (length % count === 0) return reshape(x, [...before, count, length / count, ...behind]);
  const parts = partsOf(length, count);
  const most = Math.max(...parts.map(([from, to]) => to - from));
  const places = parts.flatMap(([from, to]) =>
    Array.from({ length: most }, (_, j) => Math.min(from + j, to - 1)),
  );
  const index = fromElements(Int32Array.from(places), [places.length]);
  const entries = reshape(indexSelect(x, axis, index), [...before, count, most, ...behind]);
  const inside = parts.flatMap(([from, to]) =>
    Array.from({ length: most }, (_, j) => (from + j < to ? 1 : 0)),
  );
  const mask = fromElements(Uint8Array.from(inside), [count, most, ...behind.map(() => 1)]);
  return where(broadcastTo(mask, entries.shape), entries, blank);
}

function adaptivePool(
  name: string,
  rank: number,
  blank: number,
  reduce: (parts: Tensor, axis: number) => Tensor,
  finish: (out: Tensor, field: readonly number[]) => Tensor,
  kink?: true,
): AdaptivePool {
  return composed(
    name,
    (x: Tensor, outputSize: number | readonly (number | null)[], ...more: readonly never[]) => {
      if (more.length > 0) checkList(name, outputSize, `[${[outputSize, ...more].join(", ")}]`);
      const a = inBatch(name, floated(name, x), rank);
      const field = a.shape.slice(2);
      const kept = Array.isArray(outputSize)
        ? outputSize.map((size: number | null, i) => size ?? field[i] ?? 1)
        : (outputSize as number);
      const counts = perAxis(name, "outputSize", kept, rank, 1);
      if (field.includes(0))
        throw new ShapeError(`${name}: there is nothing to pool in shape ${formatShape(x.shape)}`);
      let out = a;
      for (let i = rank - 1; i >= 0; i--) out = reduce(parted(out, i + 2, counts[i]!, blank), i + 3);
      return outOfBatch(finish(out, field), x);
    },
    (draw) => {
      const field = drawSizes(draw, rank, 6);
      return [drawField(draw, field), field.map((size) => draw.integer(1, size + 1))];
    },
    kink,
  );
}

function adaptiveMaxPool(name: string, rank: number): AdaptivePool {
  return adaptivePool(
    name,
    rank,
    -Infinity,
    (parts, axis) => apply(largestOp, [parts], { axes: [axis] }),
    (out) => out,
    kinked,
  );
}

function adaptiveAvgPool(name: string, rank: number): AdaptivePool {
  return adaptivePool(
    name,
    rank,
    0,
    (parts, axis) => sum(parts, axis),
    (out, field) =>
      divided(
        out,
        field.map((length, i) => partsOf(length, out.shape[i + 2]!).map(([from, to]) => to - from)),
      ),
  );
}

/**
 * The means of `outputSize` parts of `x` [batch, channels, length] (or [channels, length]): part i reaches from floor(i length /
 * outputSize) up to ceil((i + 1) length / outputSize). Throws ShapeError for other shapes or an empty length, ValueError unless
 * `outputSize` is a whole number of at least 1, DTypeError for bool; integers become float32.
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool1d, tensor } from "@cotangent/autograd";
 * adaptiveAvgPool1d(tensor([[1, 3, 5]]), 2).toArray(); // => [ [ 2, 4 ] ]
 * ```
 */
export const adaptiveAvgPool1d: AdaptivePool = adaptiveAvgPool("adaptiveAvgPool1d", 1);

/**
 * The means of parts of `x` [batch, channels, height, width] (or without batch): `outputSize` rows and columns of them, or [rows,
 * columns], where null keeps a size; see `adaptiveAvgPool1d`.
 */
export const adaptiveAvgPool2d: AdaptivePool = adaptiveAvgPool("adaptiveAvgPool2d", 2);

/** The means of parts of `x` [batch, channels, depth, height, width]; see `adaptiveAvgPool2d`. */
export const adaptiveAvgPool3d: AdaptivePool = adaptiveAvgPool("adaptiveAvgPool3d", 3);

/**
 * The largest entries of `outputSize` parts of `x` [batch, channels, length]; parts and errors as for `adaptiveAvgPool1d`.
 *
 * @kink Where entries of a part tie, the first has the whole gradient; of several NaN, the last.
 */
export const adaptiveMaxPool1d: AdaptivePool = adaptiveMaxPool("adaptiveMaxPool1d", 1);

/**
 * The largest entries of parts of `x` [batch, channels, height, width]; see `adaptiveAvgPool2d`.
 *
 * @kink Where entries of a part tie, the first has the whole gradient; of several NaN, the last.
 */
export const adaptiveMaxPool2d: AdaptivePool = adaptiveMaxPool("adaptiveMaxPool2d", 2);

/**
 * The largest entries of parts of `x` [batch, channels, depth, height, width]; see `adaptiveAvgPool2d`.
 *
 * @kink Where entries of a part tie, the first has the whole gradient; of several NaN, the last.
 */
export const adaptiveMaxPool3d: AdaptivePool = adaptiveMaxPool("adaptiveMaxPool3d", 3);
