import { isFloat } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { readElements } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { checkWhole } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { clamp } from "./bounds.ts";
import { cast } from "./cast.ts";
import { eq, ge, le, logicalAnd, lt } from "./comparison.ts";
import { numeric } from "./elementwise.ts";
import { argsort, dropped, picked } from "./indexing.ts";
import { checkTensor, fill, fromElements } from "./leaf.ts";
import { reshape } from "./movement.ts";
import { add, div, mul, sub, where } from "./pointwise.ts";
import { amax, amin } from "./reduction.ts";
import { composed, kinked } from "./sample.ts";

/** Which values there are, and how many of each. */

/** The different elements of a tensor. */
export interface Distinct {
  /** In ascending order, [count]. */
  readonly values: Tensor;
  /** The place of each element of the tensor among `values`: int32, in its shape. */
  readonly inverse: Tensor;
  /** How often each of the values is there: int32 [count]. */
  readonly counts: Tensor;
}

/**
 * The different elements of `x` in ascending order, in a tensor of one axis, where each element is among them, and how often each is
 * there. NaN comes last and equals nothing, itself neither. It reads `x`, and derivatives take the places as fixed; where the number of
 * values must not depend on elements, as inside `compile`, `sort` is the way.
 *
 * @kink Where elements are equal, the first of them has the gradient.
 *
 * @example
 * ```ts
 * import { tensor, unique } from "@cotangent/autograd";
 * const { values, inverse, counts } = unique(tensor([5, 2, 5]));
 * values.toArray(); // => 2,5
 * inverse.toArray(); // => 1,0,1
 * counts.toArray(); // => 1,2
 * ```
 */
export const unique: Operation<[], Distinct> = composed(
  "unique",
  (x: Tensor): Distinct => {
    checkTensor("unique", x);
    const flat: Tensor = reshape(x, [x.size]);
    const elements = readElements(flat, "unique");
    const inverse = new Int32Array(x.size);
    const [first, counts]: [number[], number[]] = [[], []];
    for (const place of readElements(argsort(flat), "unique")) {
      const last = first[first.length - 1];
      if (last === undefined || elements[place] !== elements[last]) {
        first.push(place);
        counts.push(0);
      }
      counts[counts.length - 1]!++;
      inverse[place] = counts.length - 1;
    }
    const size = [counts.length];
    return {
      values: picked("unique", flat, 0, fromElements(Int32Array.from(first), size)),
      inverse: fromElements(inverse, x.shape),
      counts: fromElements(Int32Array.from(counts), size),
    };
  },
  (draw) => [draw.distinct(draw.shape())],
  kinked,
);

type Bins = {
  /** How many; 100 unless given. */
  readonly bins?: number | undefined;
  /** Where the first begins; at the smallest element unless given. */
  readonly min?: number | undefined;
  /** Where the last ends; at the largest element unless given. */
  readonly max?: number | undefined;
};

/**
 * How many elements of `x` lie in each of `bins` intervals of one width from `min` to `max`, int32 [bins]; an element between two belongs
 * to the second, one at `max` to the last. Those outside are not counted, nor is NaN, and nothing where the range of `x` is not
 * finite. If all elements are equal, their range goes from 1 below to 1 above. Throws ValueError unless `bins` is a whole
 * number of at least 1, `min` and `max` finite and the one below the other, DTypeError for bool.
 *
 * @kink A jump: the derivative is 0.
 *
 * @example
 * ```ts
 * import { histc, tensor } from "@cotangent/autograd";
 * histc(tensor([1, 2, 1, 5]), { bins: 4, min: 0, max: 4 }).toArray(); // => 0,2,1,0
 * histc(tensor([1, 2, 1, 5]), { bins: 2 }).toArray(); // => 3,1
 * ```
 */
export const histc: Operation<[options?: Bins]> = composed(
  "histc",
  (x: Tensor, options?: Bins) => {
    const { bins = 100, min, max } = optionsOf("histc", options, { bins: true, min: true, max: true });
    checkWhole("histc", "bins", bins, 1);
    for (const [name, end] of Object.entries({ min, max }))
      if (end !== undefined && !Number.isFinite(end))
        throw new ValueError(`histc: ${name} is ${String(end)}; give a finite number`);
    if (min !== undefined && max !== undefined && min >= max)
      throw new ValueError(
        `histc: min is ${min} and max ${max}; min is below max, or leave both out for the range of x`,
      );
    const a = numeric("histc", x);
    if (a.size === 0) return fill(0, [bins], "int32");
    const flat: Tensor = reshape(isFloat(a.dtype) ? a : cast(a, "float64"), [a.size]);
    const [from, to] = [
      min === undefined ? amin(flat) : fill(min, [], flat.dtype),
      max === undefined ? amax(flat) : fill(max, [], flat.dtype),
    ];
    const [low, high] = [where(eq(from, to), sub(from, 1), from), where(eq(from, to), add(to, 1), to)];
    const range = sub(high, low);
    const inside = logicalAnd(logicalAnd(ge(flat, low), le(flat, high)), lt(range, Infinity));
    const place = div(mul(sub(flat, low), bins), range);
    const index = where(inside, cast(clamp(place, 0, bins - 1), "int32"), 0);
    return dropped("histc", cast(inside, "int32"), 0, index, bins);
  },
  (draw) => [
    draw.tensor(draw.shape()),
    { bins: draw.integer(1, 4), min: -1.03, max: draw.coin() ? 1.01 : 3 },
  ],
  kinked,
);
