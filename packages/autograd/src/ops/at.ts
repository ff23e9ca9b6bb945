import { IndexError, ValueError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { formatShape } from "../shape.ts";
import type { Operation } from "../signature.ts";
import type { Places } from "./indexing.ts";
import { joined, picked, placesOf } from "./indexing.ts";
import { checkTensor, describe } from "./leaf.ts";
import { broadcastTo, permute, reshape, squeeze } from "./movement.ts";
import { add } from "./pointwise.ts";
import { checkWithin } from "./range.ts";
import { checkStretch, slice } from "./region.ts";
import type { Draw } from "./sample.ts";
import { composed } from "./sample.ts";

/** Indexing as in NumPy: `x.at(...)`. */

/** A stretch of an axis, as `slice` takes it. */
export interface Stretch {
  readonly start?: number | null | undefined;
  readonly end?: number | null | undefined;
  readonly step?: number | undefined;
}

/**
 * What `at` takes for an axis: a whole number for one entry (negative from the end), a stretch, null for all of it, an int32
 * tensor for the entries that it names; a bool tensor for as many axes as it has; and "..." for all axes that are not named
 * otherwise.
 */
export type Index = number | null | undefined | Stretch | Tensor | "...";

/**
 * `x` at an index for each axis, as `x[1, :, 0:3, index]` in Python. A whole number takes its axis away, an int32 tensor puts
 * its own axes there. A bool tensor, a mask over as many axes as it has, puts one axis there: of the places where it holds,
 * which are read at once. Several tensors broadcast together and name one place each; their axes go in front if the axes that
 * they index are not adjacent, as in NumPy (whole numbers take their axes away first, as in PyTorch). Axes without an index
 * stay whole. Throws IndexError for places outside and for too many indices, ShapeError for masks of another shape, ValueError
 * for what is no index, DTypeError for tensors of floats.
 *
 * @example
 * ```ts
 * import { at, tensor } from "@cotangent/autograd";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * at(x, -1).toTypedArray(); // => 4,5,6
 * at(x, null, { start: 1 }).toTypedArray(); // => 2,3,5,6
 * const index = tensor([1, 0], { dtype: "int32" });
 * at(x, "...", index).toTypedArray(); // => 2,1,5,4
 * at(x, index, index).toTypedArray(); // => 5,1
 * at(x, x.gt(3)).toTypedArray(); // => 4,5,6
 * ```
 */
export const at: Operation<Index[]> = composed(
  "at",
  (x: Tensor, ...indices: Index[]) => {
    checkTensor("at", x);
    let out: Tensor = x.node;
    let [axis, original] = [0, 0];
    const all: Places[] = [];
    const axes: number[] = [];
    for (const index of spelledOut(indices, x)) {
      if (index instanceof Tensor) {
        const places = placesOf("at", index, x.shape, original);
        all.push(places);
        axes.push(axis);
        axis += places.span;
        original += places.span - 1;
      } else if (typeof index === "number") {
        out = entry(out, axis, index, original);
      } else {
        if (index !== null) out = stretch(out, axis, index);
        axis++;
      }
      original++;
    }
    return all.length === 0 ? out : entries(out, all, axes);
  },
  (draw) => {
    const shape = draw.shape(1);
    if (draw.integer(0, 4) === 0)
      return [draw.tensor(shape), "...", draw.bools(shape.slice(draw.integer(0, shape.length)))];
    const chosen = draw.integer(0, shape.length - 1);
    const last = draw.integer(chosen, shape.length - 1);
    const common = draw.shape(0, 2);
    const indices = shape.map((size, i) =>
      i === chosen || i === last ? named(draw, common, size) : unnamed(draw, size),
    );
    const kept = draw.integer(0, shape.length);
    const shortened: Index[] = draw.coin() ? indices.slice(0, kept) : ["...", ...indices.slice(kept)];
    return [draw.tensor(shape), ...shortened];
  },
);

function named(draw: Draw, shape: readonly number[], size: number): Tensor {
  return add(draw.indices(shape, size), draw.coin() ? 0 : -size);
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
  const covered = indices.map((index) =>
    index === "..." ? 0 : index instanceof Tensor && index.dtype === "bool" ? index.rank : 1,
  );
  const count = covered.reduce((sum, span) => sum + span, 0);
  const rest = x.rank - count;
  if (rest < 0)
    throw new IndexError(
      `at: indices for ${count} axes of shape ${formatShape(x.shape)}; there can be one for each axis, null for ` +
        "all of it; unsqueeze makes a new axis",
    );
  return indices.flatMap((index) => {
    if (index === "...") return new Array<null>(rest).fill(null);
    if (index === null || index === undefined) return [null];
    if (typeof index === "number" ? Number.isInteger(index) : isStretchOrTensor(index)) return [index];
    throw new ValueError(
      `at: ${typeof index === "number" ? index : describe(index)} is no index; give a whole number, null, ` +
        '{ start, end, step }, an int32 tensor or "..."',
    );
  });
}

const isStretchOrTensor = (index: unknown): boolean =>
  index instanceof Tensor ||
  (typeof index === "object" && Object.keys(index!).every((key) => /^(start|end|step)$/.test(key)));

function entry(x: Tensor, axis: number, index: number, original: number): Tensor {
  const size = x.shape[axis]!;
  checkWithin("at", index, size, original, "", -size);
  const place = index < 0 ? index + size : index;
  return squeeze(slice(x, place, place + 1, { axis }), axis);
}

function stretch(x: Tensor, axis: number, { start, end, step = 1 }: Stretch): Tensor {
  checkStretch("at", start, end, step);
  return slice(x, start, end, { axis, step });
}

/** The elements at `places`, whose axes go where theirs were if those are adjacent, else in front, as in NumPy. */
function entries(x: Tensor, all: readonly Places[], axes: readonly number[]): Tensor {
  const index = joined("at", all);
  const taken = axes.flatMap((axis, k) => Array.from({ length: all[k]!.span }, (_, i) => axis + i));
  const rest = x.shape.map((_, i) => i).filter((i) => !taken.includes(i));
  const adjacent = axes.every((axis, k) => k === 0 || axis === axes[k - 1]! + all[k - 1]!.span);
  const first = adjacent ? axes[0]! : 0;
  const order = [...rest.slice(0, first), ...taken, ...rest.slice(first)];
  const sizes = rest.map((i) => x.shape[i]!);
  const [before, after] = [sizes.slice(0, first), sizes.slice(first)];
  const size = all.reduce((product, one) => product * one.size, 1);
  const line = reshape(index, [...before.map(() => 1), index.size, ...after.map(() => 1)]);
  const found = picked(
    "at",
    reshape(permute(x, order), [...before, size, ...after]),
    first,
    broadcastTo(line, [...before, index.size, ...after]),
  );
  return reshape(found, [...before, ...index.shape, ...after]);
}
