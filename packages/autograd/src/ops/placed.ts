import type { Op, Tensor } from "../graph.ts";
import { apply, linearRule, zero } from "../graph.ts";
import { equalShapes, reducedShape, sizeOf } from "../shape.ts";
import { fromElements, iota } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";

/** One element for each group of entries, at a place of its own among them: what flows back to a window whose largest entry counts. */

/**
 * `y` where a place is that of its group, else 0; the groups lie along `entries` axes, counted from the end. An op of its own, so that
 * `folded` sees what it adds up.
 */
const placedOp: Op<{ readonly entries: readonly number[] }> = {
  name: "placed",
  kernel: {
    kind: "pointwise",
    body: (m, place, own, y) => m.select(m.eq(place!, own!), y!, m.constant(0, m.dtype)),
  },
  derivatives: [
    zero,
    zero,
    linearRule((g, out, attributes) => apply(placedOp, [out.inputs[0]!, out.inputs[1]!, g], attributes)),
  ],
  shape: ([place]) => place!.shape,
  dtype: ([, , y]) => y!.dtype,
};

/** The places of entries along `axes` of `shape`, row by row. */
export function placesAlong(shape: readonly number[], axes: readonly number[]): Tensor {
  const grid = shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  return broadcastTo(reshape(iota(axes.map((axis) => shape[axis]!)), grid), shape);
}

/** Zeros of `shape`, but for `y` at the places `own`, both without `axes`, along which the places count. */
export function placed(own: Tensor, y: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  const kept = reducedShape(shape, axes, true);
  const spread = (x: Tensor) => broadcastTo(reshape(x, kept), shape);
  const entries = axes.map((axis) => axis - shape.length);
  return apply(placedOp, [placesAlong(shape, axes), spread(own), spread(y)], { entries });
}

/** The places and elements, without the last `count` axes, of what `placed` made of groups along these; null for anything else. */
export function placedAlongLast(x: Tensor, count: number): { own: Tensor; y: Tensor } | null {
  const entries = Array.from({ length: count }, (_, i) => i - count);
  if (x.op !== placedOp || !equalShapes(x.attributes.entries as number[], entries)) return null;
  const shape = x.shape.slice(0, -count);
  const groups = x.inputs.slice(1).map((spread) => {
    const source = spread.inputs[0];
    const isOne = spread.op.name === "broadcastTo" && source?.size === sizeOf(shape);
    return isOne ? reshape(source, shape) : null;
  });
  const [own, y] = groups;
  return own && y ? { own, y } : null;
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
