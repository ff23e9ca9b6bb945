import type { Tensor } from "../graph.ts";
import { reducedShape } from "../shape.ts";
import { eq } from "./comparison.ts";
import { fromElements, iota } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { where } from "./pointwise.ts";

/** One element for each group of entries, at a place of its own among them: what flows back to a window whose largest entry counts. */

/** What `placed` has made, and of what; `axes` are counted from the end. */
const known = new WeakMap<Tensor, Placed & { readonly axes: readonly number[] }>();

/** For each group of entries the place of one, row by row, and what is there. */
interface Placed {
  readonly own: Tensor;
  readonly y: Tensor;
}

/** The places of entries along `axes` of `shape`, row by row. */
export function placesAlong(shape: readonly number[], axes: readonly number[]): Tensor {
  const grid = shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  return broadcastTo(reshape(iota(axes.map((axis) => shape[axis]!)), grid), shape);
}

/** Zeros of `shape`, but for `y` at the places `own`, both without `axes`, along which the places count. */
export function placed(own: Tensor, y: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  const kept = reducedShape(shape, axes, true);
  const spread = (x: Tensor) => broadcastTo(reshape(x, kept), shape);
  const out = where(eq(placesAlong(shape, axes), spread(own)), spread(y), 0);
  known.set(out, { own, y, axes: axes.map((axis) => axis - shape.length) });
  return out;
}

/** The places and elements of what `placed` made of groups along the last `count` axes; null for anything else. */
export function placedAlongLast(x: Tensor, count: number): Placed | null {
  const found = known.get(x);
  return found?.axes.length === count && found.axes.every((axis, i) => axis === i - count) ? found : null;
}

/**
 * For windows of `sizes` in blocks of one step: how many blocks they have, the steps larger than 1 (how many remainders there are), and
 * which entry has a remainder (axes first) in a block (axes last, the last block first), row by row; -1 where none has.
 */
export function entriesApart(
  sizes: readonly number[],
  steps: readonly number[],
  dilations: readonly number[],
): { table: Tensor; blocks: number[]; remainders: number[] } {
  // Entries of one axis by remainder and block; with a step of 1 each entry is a block, since they are all as far apart.
  const lines = sizes.map((size, i) => {
    const step = steps[i]!;
    const dilation = step === 1 ? 1 : dilations[i]!;
    const blocks = Math.ceil(((size - 1) * dilation + 1) / step);
    return Array.from({ length: step }, (_, remainder) =>
      Array.from({ length: blocks }, (_, block) => {
        const place = (blocks - 1 - block) * step + remainder;
        return place % dilation === 0 && place / dilation < size ? place / dilation : -1;
      }),
    );
  });
  const blocks = lines.map((line) => line[0]!.length);
  const numbers = [steps, blocks].map((counts) => placesIn(counts));
  const table = numbers[0]!.flatMap((remainder) =>
    numbers[1]!.map((block) =>
      lines.reduce((sum, line, i) => {
        const entry = line[remainder[i]!]![block[i]!]!;
        return sum < 0 || entry < 0 ? -1 : sum * sizes[i]! + entry;
      }, 0),
    ),
  );
  return {
    table: fromElements(Int32Array.from(table), [table.length]),
    blocks,
    remainders: steps.filter((step) => step > 1),
  };
}

/** All indices in a shape, row by row. */
function placesIn(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, size) => found.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );
}
