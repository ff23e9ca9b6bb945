import { DTypeError, IndexError, ValueError } from "../errors.ts";
import { elementsOf, Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { lt } from "./comparison.ts";
import { picked } from "./indexing.ts";
import { describe } from "./leaf.ts";
import { broadcastTo, reshape, squeeze } from "./movement.ts";
import { add, where } from "./pointwise.ts";
import { slice } from "./region.ts";
import type { Draw } from "./sample.ts";
import { composed } from "./sample.ts";

/** Indexing as in NumPy: `x.at(...)`. */

/** A stretch of an axis, as `slice` takes it. */
export interface Stretch {
  readonly start?: number | null;
  readonly end?: number | null;
  readonly step?: number;
}

/**
 * What `at` takes for an axis: a whole number for one entry (negative from the end), a stretch, null for all of it, an int32
 * tensor for the entries that it names; and "..." for all axes that are not named otherwise.
 */
export type Index = number | null | undefined | Stretch | Tensor | "...";

/**
 * `x` at an index for each axis, as `x[1, :, 0:3, index]` in Python. A whole number takes its axis away, a tensor puts its own
 * axes there. Axes without an index stay whole. Throws IndexError for places outside and for too many indices, ValueError for
 * what is no index and for two tensors, DTypeError for a tensor that is not int32.
 *
 * @example
 * ```ts
 * import { at, tensor } from "@cotangent/autograd";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * at(x, -1).toTypedArray(); // => 4,5,6
 * at(x, null, { start: 1 }).toTypedArray(); // => 2,3,5,6
 * at(x, "...", tensor([2, 0], { dtype: "int32" })).toTypedArray(); // => 3,1,6,4
 * ```
 */
export const at: Operation<Index[]> = composed(
  "at",
  (x: Tensor, ...indices: Index[]) => {
    let out: Tensor = x.node;
    let axis = 0;
    for (const index of spelledOut(indices, x)) {
      const original = x.rank - out.rank + axis;
      if (index instanceof Tensor) {
        out = entries(out, axis, index, original);
        axis += index.rank;
      } else if (typeof index === "number") {
        out = entry(out, axis, index, original);
      } else {
        if (index !== null) out = stretch(out, axis, index);
        axis++;
      }
    }
    return out;
  },
  (draw) => {
    const shape = draw.shape(1);
    const chosen = draw.integer(0, shape.length - 1);
    const indices = shape.map((size, i) => (i === chosen ? named(draw, size) : unnamed(draw, size)));
    const kept = draw.integer(0, shape.length);
    const shortened: Index[] =
      draw.integer(0, 1) === 0 ? indices.slice(0, kept) : ["...", ...indices.slice(kept)];
    return [draw.tensor(shape), ...shortened];
  },
);

function named(draw: Draw, size: number): Tensor {
  return add(draw.indices(draw.shape(0, 2), size), draw.integer(0, 1) === 0 ? 0 : -size);
}

function unnamed(draw: Draw, size: number): Index {
  const kind = draw.integer(0, 2);
  if (kind === 0) return null;
  if (kind === 1) return draw.integer(-size, size - 1);
  return { start: draw.integer(-4, 4), end: draw.integer(-4, 4), step: [-2, -1, 1, 2][draw.integer(0, 3)]! };
}

/** The indices with null in place of "..." as often as there are axes left; whole numbers and tensors checked. */
function spelledOut(indices: readonly Index[], x: Tensor): (number | null | Stretch | Tensor)[] {
  const dots = indices.filter((index) => index === "...").length;
  if (dots > 1) throw new ValueError('at: "..." stands more than once; it can be there once');
  if (indices.filter((index) => index instanceof Tensor).length > 1)
    throw new ValueError("at: takes one tensor of indices; apply it again for another axis");
  const rest = x.rank - (indices.length - dots);
  if (rest < 0)
    throw new IndexError(
      `at: ${indices.length - dots} indices for shape ${formatShape(x.shape)}; there can be one for each axis`,
    );
  return indices.flatMap((index) => {
    if (index === "...") return new Array<null>(rest).fill(null);
    if (index === null || index === undefined) return [null];
    if (typeof index === "number" ? Number.isInteger(index) : typeof index === "object") return [index];
    throw new ValueError(
      `at: ${typeof index === "number" ? index : describe(index)} is no index; give a whole number, null, ` +
        '{ start, end, step }, an int32 tensor or "..."',
    );
  });
}

function entry(x: Tensor, axis: number, index: number, original: number): Tensor {
  const size = x.shape[axis]!;
  checkPlace(index, size, original);
  const place = index < 0 ? index + size : index;
  return squeeze(slice(x, place, place + 1, { axis }), axis);
}

function checkPlace(index: number, size: number, axis: number): void {
  if (index < -size || index >= size)
    throw new IndexError(
      `at: index ${index} is outside axis ${axis} of size ${size}, whose indices are ${-size} ... ${size - 1}`,
    );
}

function stretch(x: Tensor, axis: number, { start, end, step = 1 }: Stretch): Tensor {
  for (const value of [start ?? 0, end ?? 0, step])
    if (!Number.isInteger(value) || step === 0)
      throw new ValueError(
        `at: the stretch has start ${start}, end ${end} and step ${step}; they are whole numbers, and the step is not 0`,
      );
  return slice(x, start, end, { axis, step });
}

function entries(x: Tensor, axis: number, index: Tensor, original: number): Tensor {
  if (index.dtype !== "int32") throw new DTypeError(`at: the index is ${index.dtype}; cast it to int32`);
  const size = x.shape[axis]!;
  const data = elementsOf(index.node);
  if (data) for (const i of data) checkPlace(i, size, original);
  const places = reshape(where(lt(index, 0), add(index, size), index), [index.size]);
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const line = reshape(places, [...before.map(() => 1), index.size, ...after.map(() => 1)]);
  const taken = picked("at", x, axis, broadcastTo(line, [...before, index.size, ...after]));
  return reshape(taken, [...before, ...index.shape, ...after]);
}
