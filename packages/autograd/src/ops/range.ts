import type { TypedArray } from "../dtype.ts";
import { DTypeError, IndexError, ShapeError, ValueError } from "../errors.ts";
import { elementsOf, Tensor } from "../graph.ts";
import { remembered } from "../memo.ts";
import type { Shape } from "../shape.ts";
import { formatShape, insideAs } from "../shape.ts";
import { describe } from "./leaf.ts";

/** Is what names places inside what it names them of? */

/** Throws ValueError, DTypeError or, as far as its elements are known, IndexError unless `index` names places from `least` on. */
export function checkPlaces(name: string, index: Tensor, size: number, axis: number, least = 0): void {
  if (!(index instanceof Tensor))
    throw new ValueError(
      `${name}: the index is a tensor of int32, got ${describe(index)}; make one with tensor(...)`,
    );
  if (index.dtype !== "int32")
    throw new DTypeError(`${name}: the index is ${index.dtype}${insideAs(index)}; cast it to int32`);
  const data = elementsOf(index.node);
  if (!data || data.length === 0) return;
  const [low, high] = rangeOf(data);
  if (low < least || high >= size) for (const i of data) checkWithin(name, i, size, axis, "", least);
}

type Range = readonly [least: number, most: number];

/** Of arrays that are longer than it takes to look them up. */
const ranges = new WeakMap<TypedArray, Range>();

/** The least and the largest element. */
function rangeOf(data: TypedArray): Range {
  return data.length < 1000 ? extremes(data) : remembered(ranges, data, () => extremes(data));
}

function extremes(data: TypedArray): Range {
  let [least, most] = [data[0]!, data[0]!];
  for (let k = 1; k < data.length; k++) {
    const x = data[k]!;
    if (x < least) least = x;
    if (x > most) most = x;
  }
  return [least, most];
}

/** The same with ShapeError unless `index` has as many axes as `shape`. */
export function checkIndex(name: string, index: Tensor, shape: Shape, axis: number): void {
  checkPlaces(name, index, shape[axis]!, axis);
  if (index.rank !== shape.length)
    throw new ShapeError(
      `${name}: index of shape ${formatShape(index.shape)} for shape ${formatShape(shape)}; both need the same number of axes`,
    );
}

/** Throws IndexError unless `least <= i < size`; `site` says where the op was applied, if that is not the present line. */
export function checkWithin(
  name: string,
  i: number,
  size: number,
  axis: number,
  site: string,
  least = 0,
): void {
  if (i < least || i >= size)
    throw new IndexError(
      `${name}: index ${i} is outside axis ${axis} of size ${size}, whose indices are ${least} ... ${size - 1}${site}`,
    );
}
