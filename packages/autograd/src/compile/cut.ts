import type { Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { extent, readLabels } from "../labels.ts";
import { einsumOp } from "../ops/contraction.ts";
import { sliced } from "../ops/region.ts";
import { contractionOrder } from "../order.ts";
import { equalShapes, sizeOf, stridesOf } from "../shape.ts";

/**
 * Computes no more of a contraction than is needed: a slice of it is the contraction of slices, element by element in the same
 * order. The gradient of a padded operand is such a slice.
 */

/** What the slice `node` of the contraction `made` can be made of directly; null if it is no slice. */
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
