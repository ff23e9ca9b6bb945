import type { Op, Tensor } from "../graph.ts";
import { apply, elementsOf } from "../graph.ts";
import { padded } from "../ops/region.ts";
import type { Shape } from "../shape.ts";
import { stridesOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import { indexOf, unravel, weighted } from "./affine.ts";

/**
 * Views of views as one view of what has elements: windows, transposes and slices one after the other read a tensor at places
 * that move evenly with each index. Packing a product's operand then copies straight from there.
 */

/** Any elements of `x` in any order, as long as all of them exist. */
export const stridedOp: Op<{
  readonly shape: Shape;
  readonly offset: number;
  readonly strides: readonly number[];
}> = {
  name: "strided",
  kernel: { kind: "view", map: (_, { offset, strides }) => ({ offset, strides, bounds: null }) },
  derivatives: [],
  shape: (_, { shape }) => shape,
  dtype: ([x]) => x!.dtype,
};

/** Where the elements of a view are found. */
export interface Places {
  /** What it is a view of: no view, or one that has zeros outside its bounds. */
  readonly source: Tensor;
  /** For each axis of the source the index there, by the indices of the view. */
  readonly at: readonly Affine[];
  /** How far the element number in the source moves with each index of the view. */
  readonly steps: readonly number[];
  readonly offset: number;
}

export function placesOf(x: Tensor): Places {
  const box = x.shape.map((size) => [0, size] as const);
  let source = x;
  let at: readonly Affine[] = x.shape.map((_, axis) => indexOf(axis, x.rank));
  for (;;) {
    const { kernel } = source.op;
    if (elementsOf(source) || kernel.kind !== "view" || kernel.waits) break;
    const input = source.inputs[0]!;
    const { offset, strides, bounds } = kernel.map(input.shape, source.attributes);
    const next = bounds ? null : unravel(weighted(offset, strides, at, x.rank), input.shape, box);
    if (!next) break;
    source = input;
    at = next;
  }
  return { source, at, ...weighted(0, stridesOf(source.shape), at, x.rank) };
}

/** Is some element of the source found at several places? */
export function isRepeated(x: Tensor, { source }: Places): boolean {
  return x.size > source.size;
}

/**
 * The same places in a source with more zeros, so that `more` further indices of `axis` lead to elements that exist; null if
 * they move along several axes of the source.
 */
export function widened({ source, at }: Places, axis: number, more: number): Places | null {
  const moved = at.flatMap(({ steps }, i) => (steps[axis] === 0 ? [] : [i]));
  const step = moved.length === 1 ? at[moved[0]!]!.steps[axis]! : 0;
  if (more > 0 && step <= 0) return null;
  const none = source.shape.map(() => 0);
  const wide = more === 0 ? source : padded(source, none, none.with(moved[0]!, more * step));
  return { source: wide, at, ...weighted(0, stridesOf(wide.shape), at, at[0]!.steps.length) };
}

/** The elements at these places in other loops: for each its size, and how far it moves. */
export function strided({ source, offset }: Places, loops: readonly Loop[]): Tensor {
  return apply(stridedOp, [source], {
    shape: loops.map(({ size }) => size),
    offset,
    strides: loops.map(({ step }) => step),
  });
}

interface Loop {
  readonly size: number;
  readonly step: number;
}
