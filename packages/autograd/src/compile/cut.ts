import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { extent, readLabels } from "../labels.ts";
import { einsumOp } from "../ops/contraction.ts";
import { fill } from "../ops/leaf.ts";
import { padOp, sliced } from "../ops/region.ts";
import { contractionOrder } from "../order.ts";
import { equalShapes, sizeOf, stridesOf } from "../shape.ts";

/**
 * Computes no more of a node than its slices need. A slice of a contraction is the contraction of slices, with the same sums: the gradient
 * of a padded operand is such a slice. A slice of a concatenation or of a border may lie in one part of it: so a step of time that takes
 * its slice of what all steps were stacked to takes that step alone, or zeros where only another step has a gradient.
 */

/** The contraction of slices that equals the slice `node` of the contraction `made`; null if `node` is no slice, or sums would change. */
export function cut(node: Tensor, made: Tensor): Tensor | null {
  const starts = startsOf(node);
  if (starts === null) return null;
  const spec = String(made.attributes.spec);
  const { left, right, out, rows, columns } = readLabels(spec);
  const [x, y] = made.inputs as readonly [Tensor, Tensor];
  const part = (operand: Tensor, letters: string): Tensor => {
    const from = operand.shape.map(() => 0);
    const to = [...operand.shape];
    [...letters].forEach((letter, axis) => {
      const place = out.indexOf(letter);
      if (place < 0) return;
      from[axis] = starts[place]!;
      to[axis] = starts[place]! + node.shape[place]!;
    });
    return sliced(operand, from, to);
  };
  const operands = [part(x, left), part(y, right)] as const;
  const order = (a: Tensor, b: Tensor) =>
    contractionOrder(extent(rows, left, a.shape), extent(columns, right, b.shape));
  return order(...operands) === order(x, y) ? apply(einsumOp, operands, { spec }) : null;
}

/** What the slice `node` of one part of a concatenation, or of one side of a border, is a slice of; null for other nodes. */
export function inside(node: Tensor): Tensor | null {
  const x = node.inputs[0]!;
  const isBordered = x.op === padOp;
  if (!isBordered && x.op.kernel.kind !== "concatenate") return null;
  const starts = startsOf(node);
  if (starts === null) return null;
  const axis = Number(x.attributes.axis);
  const at = isBordered ? [...(x.attributes.before as readonly number[])] : starts.map(() => 0);
  for (const part of x.inputs) {
    const from = starts.map((start, i) => start - at[i]!);
    const to = from.map((start, i) => start + node.shape[i]!);
    if (from.every((start, i) => start >= 0 && to[i]! <= part.shape[i]!)) return sliced(part, from, to);
    if (isBordered) {
      const isOutside = from.some((start, i) => start >= part.shape[i]! || to[i]! <= 0);
      return isOutside ? fill(0, node.shape, node.dtype) : null;
    }
    at[axis]! += part.shape[axis]!;
  }
  return null;
}

/** Where a slice begins along each axis; null for other nodes. */
function startsOf({ op: { kernel }, inputs, attributes, shape }: Tensor): number[] | null {
  if (kernel.kind !== "view") return null;
  const from = inputs[0]!.shape;
  if (from.length !== shape.length || sizeOf(shape) === 0 || equalShapes(from, shape)) return null;
  const { offset, strides, bounds } = kernel.map(from, attributes);
  const own = stridesOf(from);
  if (bounds || strides.some((stride, i) => stride !== own[i])) return null;
  let rest = offset;
  const starts = own.map((stride) => {
    const start = Math.floor(rest / stride);
    rest -= start * stride;
    return start;
  });
  // Axes of size 1 that change place with others keep the strides of a slice.
  return starts.every((start, axis) => start + shape[axis]! <= from[axis]!) ? starts : null;
}
