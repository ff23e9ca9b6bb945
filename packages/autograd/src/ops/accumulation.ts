import type { DType } from "../dtype.ts";
import { refuseBool } from "../dtype.ts";
import { DTypeError, IndexError, ShapeError, ValueError } from "../errors.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, pushed, readElements, zero } from "../graph.ts";
import { optionsOf } from "../options.ts";
import {
  broadcastsTo,
  checkShape,
  checkWhole,
  equalShapes,
  formatShape,
  normalizeAxis,
  sizeOf,
} from "../shape.ts";
import type { Operation, UnaryWith } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, gt, le, ne } from "./comparison.ts";
import { argsort, dropped, joined, picked, placesOf } from "./indexing.ts";
import { cat } from "./join.ts";
import { checkTensor, describe, fill } from "./leaf.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { add, div, maximum, mul, where } from "./pointwise.ts";
import { checkIndex } from "./range.ts";
import { slice } from "./region.ts";
import { floorDivide } from "./rounding.ts";
import { composed, kinked } from "./sample.ts";
import { written } from "./selection.ts";

/** Elements brought together at places that a tensor names. */

type Extreme = { readonly axis: number; readonly includeSelf: boolean };

/**
 * The largest (or with a `sign` of -1 the smallest) of the elements of x and of source that meet at a place; operands x, index, source and how many elements of
 * source meet there (which also has the index checked before it is used).
 */
function extremeOp(name: string, sign: 1 | -1): Op<Extreme> {
  const shares = pushed<Extreme>((t, out, { axis, includeSelf }, operand) => {
    const [x, index, source, count] = out.inputs as [Tensor, Tensor, Tensor, Tensor];
    const none = le(count, 0);
    const own = cast(includeSelf ? eq(x, out) : none, x.dtype);
    const chosen = cast(eq(source, picked("scatterReduce", out, axis, index)), x.dtype);
    const brought = (y: Tensor) => dropped("scatterReduce", y, axis, index, x.shape[axis]!);
    if (operand === 0 && !includeSelf) return where(none, t, 0);
    return div(operand === 0 ? mul(t, own) : brought(mul(t, chosen)), add(own, brought(chosen)));
  });
  return {
    name,
    kernel: {
      kind: "opaque",
      run: ([x, index, source], out, { axis, includeSelf }) => {
        const [size, count] = [x!.shape[axis]!, source!.shape[axis]!];
        const inner = sizeOf(x!.shape.slice(axis + 1));
        const [values, places, made] = [source!.data, index!.data, out.data];
        const seen = new Uint8Array(made.length).fill(includeSelf ? 1 : 0);
        made.set(x!.data);
        for (let i = 0, block = 0; i < values.length; block += size)
          for (let row = 0; row < count; row++)
            for (let k = 0; k < inner; k++, i++) {
              const value = values[i]!;
              const to = (block + places[i]!) * inner + k;
              if (seen[to] === 0 || Number.isNaN(value) || sign * value > sign * made[to]!) made[to] = value;
              seen[to] = 1;
            }
      },
    },
    derivatives: [shares, zero, shares, zero],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
    kink: true,
  };
}

const extremes = {
  amax: extremeOp("scatterAmax", 1),
  amin: extremeOp("scatterAmin", -1),
};

/** The products of the elements of `source` that meet at a place; 0 where there are none. Zeros are like any other factor. */
function products(source: Tensor, axis: number, index: Tensor, size: number): Tensor {
  const count = index.shape[axis]!;
  const order = argsort(index, axis);
  const place = picked("scatterReduce", index, axis, order);
  const shape = (length: number) => index.shape.with(axis, length);
  const part = (y: Tensor, from: number, to: number) => slice(y, from, to, { axis });
  let product = picked("scatterReduce", source, axis, order);
  // Running products of neighbours with one place, over twice as many each time (Hillis and Steele, Comm. ACM 29, 1986).
  for (let reach = 1; reach < count; reach *= 2) {
    const same = eq(part(place, reach, count), part(place, 0, count - reach));
    const before = where(same, part(product, 0, count - reach), 1);
    product = mul(product, cat([fill(1, shape(reach), source.dtype), before], axis));
  }
  const ends = ne(part(place, 1, count), part(place, 0, count - 1));
  const last = cat([ends, fill(1, shape(1), "bool")], axis);
  return dropped(
    "scatterReduce",
    where(last, product, fill(0, product.shape, source.dtype)),
    axis,
    place,
    size,
  );
}

type Reduce = "sum" | "prod" | "mean" | "amax" | "amin";
const reductions = ["sum", "prod", "mean", "amax", "amin"];

type Including = {
  /** Does the element of `x` count too, where something meets? It does unless this is false. */
  readonly includeSelf?: boolean | undefined;
};
type ScatterReduce = UnaryWith<
  [axis: number, index: Tensor, source: Tensor, reduce: Reduce, options?: Including]
>;

/**
 * `x` with the elements of `source` brought into it at the places that `index` names along `axis`, as by `scatterAdd`, and
 * combined by `reduce`: their sum, product, mean (of integers rounded down), or the largest or smallest of them. Without
 * `includeSelf` the element of `x` counts only where nothing is brought. `index` is int32 and has the shape of `source`. Throws ShapeError, DTypeError or IndexError if they do not fit `x`, ValueError for another
 * `reduce`.
 *
 * @kink The largest or smallest elements that tie, in the source and in x if it counts, share the gradient equally.
 *
 * @example
 * ```ts
 * import { scatterReduce, tensor } from "@cotangent/autograd";
 * const index = tensor([0, 2, 0], { dtype: "int32" });
 * scatterReduce(tensor([1, 1, 1]), 0, index, tensor([3, 4, 5]), "prod").toArray(); // => 15,1,4
 * scatterReduce(tensor([9, 9, 9]), 0, index, tensor([3, 4, 5]), "amax", { includeSelf: false }).toArray(); // => 5,9,4
 * ```
 */
export const scatterReduce: ScatterReduce = composed(
  "scatterReduce",
  ((x: Tensor, axis: number, index: Tensor, source: Tensor, reduce: Reduce, options?: Including) => {
    const { includeSelf = true } = optionsOf("scatterReduce", options, { includeSelf: "boolean" });
    const along = normalizeAxis("scatterReduce", axis, x.shape);
    if (typeof reduce !== "string")
      throw new ValueError(
        `scatterReduce: takes the reduction after the source, one of ${reductions.join(", ")}, and options after it, got ` +
          describe(reduce),
      );
    if (!reductions.includes(reduce))
      throw new ValueError(`scatterReduce: unknown "${reduce}"; there are ${reductions.join(", ")}`);
    refuseBool("scatterReduce", x.dtype);
    checkTensor("scatterReduce", source);
    if (source.dtype !== x.dtype)
      throw new DTypeError(
        `scatterReduce: the source is ${source.dtype} and x is ${x.dtype}; cast one of them`,
      );
    checkIndex("scatterReduce", index, x.shape, along);
    const wanted = x.shape.with(along, index.shape[along]!);
    if (!equalShapes(index.shape, wanted) || !equalShapes(source.shape, wanted))
      throw new ShapeError(
        `scatterReduce: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} must have one shape, ` +
          `equal to ${formatShape(x.shape)} on all axes but ${along}`,
      );
    if (index.size === 0) return x.node;
    const brought = (y: Tensor) => dropped("scatterReduce", y, along, index, x.shape[along]!);
    const count = brought(fill(1, index.shape, "int32"));
    if (reduce === "amax" || reduce === "amin")
      return apply(extremes[reduce], [x.node, index.node, source.node, count], { axis: along, includeSelf });
    const hit = gt(count, 0);
    if (reduce === "prod") {
      const product = products(source, along, index, x.shape[along]!);
      return includeSelf ? mul(x, where(hit, product, fill(1, x.shape, x.dtype))) : where(hit, product, x);
    }
    const total = includeSelf ? add(x, brought(source)) : where(hit, brought(source), x);
    if (reduce === "sum") return total;
    const terms = includeSelf ? add(count, 1) : maximum(count, 1);
    if (x.dtype !== "int32") return div(total, cast(terms, x.dtype));
    return cast(floorDivide(cast(total, "float64"), terms), "int32");
  }) as ScatterReduce,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const at = axis < 0 ? axis + shape.length : axis;
    const count = draw.integer(1, 5);
    const both = shape.with(at, shape[at]! + count);
    const all = draw.integer(0, 3) === 0 ? draw.tied(both) : draw.distinct(both);
    const reduce = reductions[draw.integer(0, 4)];
    const index = draw.indices(shape.with(at, count), shape[at]!);
    const [x, source] = [slice(all, 0, shape[at]!, { axis }), slice(all, shape[at]!, null, { axis })];
    return [x, axis, index, source, reduce, { includeSelf: draw.coin() }];
  },
  kinked,
);

type Accumulating = {
  /** Are the values added to what is there, and places that are named again added up? Not unless this is true. */
  readonly accumulate?: boolean | undefined;
};
type IndexPut = UnaryWith<[indices: readonly Tensor[], values: Tensor, options?: Accumulating]>;

/**
 * `x` with `values` at the places that `indices` name together: one tensor for each of the first axes, int32 (negative from
 * the end) or a mask over as many axes as it has, which is read at once. They broadcast together, and `values` to what they
 * name. Where a place is named again the last value wins; with `accumulate` all are added to what is there. Throws IndexError
 * for places outside and too many indices, ShapeError or DTypeError for what does not fit, ValueError without indices.
 *
 * @kink Where a place is named again and nothing accumulates, the last value that names it has all of the gradient.
 *
 * @example
 * ```ts
 * import { indexPut, tensor, zeros } from "@cotangent/autograd";
 * const places = [tensor([0, -1], { dtype: "int32" }), tensor([1, 0], { dtype: "int32" })];
 * indexPut(zeros([2, 2]), places, tensor([5, 7])).toArray(); // => [ [ 0, 5 ], [ 7, 0 ] ]
 * ```
 */
export const indexPut: IndexPut = composed(
  "indexPut",
  ((x: Tensor, indices: readonly Tensor[], values: Tensor, options?: Accumulating) => {
    const { accumulate = false } = optionsOf("indexPut", options, { accumulate: "boolean" });
    if (!Array.isArray(indices) || indices.length === 0)
      throw new ValueError("indexPut: takes an array of at least one tensor of indices");
    const spans = indices.map((index) => (index.dtype === "bool" ? index.rank : 1));
    const covered = spans.reduce((sum, span) => sum + span, 0);
    if (covered > x.rank)
      throw new IndexError(
        `indexPut: indices for ${covered} axes of shape ${formatShape(x.shape)}; leave some out`,
      );
    checkTensor("indexPut: the values", values);
    if (values.dtype !== x.dtype)
      throw new DTypeError(`indexPut: the values are ${values.dtype} and x is ${x.dtype}; cast one of them`);
    if (accumulate && x.dtype === "bool")
      throw new DTypeError("indexPut: bool does not accumulate; cast to int32 first");
    let axis = 0;
    const places = indices.map((index, k) => {
      const found = placesOf("indexPut", index, x.shape, axis);
      axis += spans[k]!;
      return found;
    });
    const index = joined("indexPut", places);
    const rest = x.shape.slice(covered);
    const named = [...index.shape, ...rest];
    if (!broadcastsTo(values.shape, named))
      throw new ShapeError(
        `indexPut: values of shape ${formatShape(values.shape)} do not broadcast to ${formatShape(named)}, which is named`,
      );
    const [count, width, size] = [index.size, sizeOf(rest), sizeOf(x.shape.slice(0, covered))];
    const rows = reshape(broadcastTo(values, named), [count, width]);
    const lines = reshape(index, [count, 1]);
    const flat = reshape(x, [size, width]);
    const out = accumulate
      ? add(flat, dropped("indexPut", rows, 0, broadcastTo(lines, [count, width]), size))
      : written("indexPut", flat, 0, lines, rows);
    return reshape(out, x.shape);
  }) as IndexPut,
  (draw) => {
    const shape = draw.shape(1);
    const covered = draw.integer(1, shape.length);
    const common = draw.shape(0, 2);
    const indices = shape.slice(0, covered).map((size) => {
      const index = draw.indices(common, size);
      return draw.coin() ? index : add(index, -size);
    });
    const values = [...common, ...shape.slice(covered)].slice(draw.integer(0, 1));
    const masked = draw.integer(0, 4) === 0;
    return [
      draw.tensor(shape),
      masked ? [draw.bools(shape.slice(0, covered))] : indices,
      draw.tensor(masked ? shape.slice(covered) : values),
      { accumulate: draw.coin() },
    ];
  },
  kinked,
);

type Counting = {
  /** What each element counts, 1 (int32) unless given. */
  readonly weights?: Tensor | undefined;
  /** The size of the result, if no element asks for more. */
  readonly minlength?: number | undefined;
};

/**
 * How often each whole number from 0 to the largest of `x` is in `x`, which has one axis and is int32; with `weights` of its
 * shape, what they add up to, in their dtype. It reads `x`. Throws ShapeError or DTypeError if something does not fit,
 * ValueError for negative elements.
 *
 * @example
 * ```ts
 * import { bincount, tensor } from "@cotangent/autograd";
 * bincount(tensor([1, 3, 1], { dtype: "int32" })).toArray(); // => 0,2,0,1
 * ```
 */
export const bincount: Operation<[options?: Counting]> = composed(
  "bincount",
  (x: Tensor, options?: Counting) => {
    const { weights, minlength = 0 } = optionsOf("bincount", options, { weights: true, minlength: true });
    if (x.rank !== 1)
      throw new ShapeError(`bincount: takes one axis, got shape ${formatShape(x.shape)}; flatten it`);
    if (x.dtype !== "int32") throw new DTypeError(`bincount: takes int32, got ${x.dtype}; cast it`);
    checkWhole("bincount", "minlength", minlength, 0);
    if (weights !== undefined) checkTensor("bincount: weights", weights);
    if (weights && !equalShapes(weights.shape, x.shape))
      throw new ShapeError(
        `bincount: weights of shape ${formatShape(weights.shape)} for shape ${formatShape(x.shape)}; they must be equal`,
      );
    let size = minlength;
    for (const element of readElements(x, "bincount")) {
      if (element < 0) throw new ValueError(`bincount: counts from 0 on, got ${element}; add to x first`);
      size = Math.max(size, element + 1);
    }
    checkShape("bincount", [size]);
    const dtype: DType = weights && weights.dtype !== "bool" ? weights.dtype : "int32";
    return dropped("bincount", weights ? cast(weights, dtype) : fill(1, x.shape, dtype), 0, x, size);
  },
  (draw) => [draw.indices([draw.integer(0, 5)], 4), { minlength: draw.integer(0, 6) }],
);
