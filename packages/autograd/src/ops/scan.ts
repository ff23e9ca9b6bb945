/** Running reductions along one axis, and the product. */
import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import { isFloat, refuseBool } from "../dtype.ts";
import type { Derivative, Op, Tensor } from "../graph.ts";
import { apply, pushed } from "../graph.ts";
import { normalizeAxis, reducedShape, sizeOf } from "../shape.ts";
import type { Axes, AxisFunction, KeepDims, Reduction } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, le, logicalOr, ne } from "./comparison.ts";
import { logaddexpBody } from "./elementary.ts";
import { picked } from "./indexing.ts";
import { cat } from "./join.ts";
import { fill, iota } from "./leaf.ts";
import { counted, permute, reduction, reshape, sum, unsqueeze } from "./movement.ts";
import { exp, mul, sub, where } from "./pointwise.ts";
import { flip, slice } from "./region.ts";
import { alongAxis, declare, ofDistinct, reduced } from "./sample.ts";

type Along = { readonly axis: number };

/** The op whose entry `k` along the axis combines entries 0 to `k`. */
function running(
  name: string,
  combine: Body,
  identity: (dtype: DType) => number,
  rule: Derivative<Along>,
): Op<Along> {
  return {
    name,
    kernel: { kind: "scan", combine, identity },
    derivatives: [rule],
    shape: ([x]) => x!.shape,
    dtype: ([x]) => x!.dtype,
  };
}

/** 0, 1, 2, ... along `axis` of a tensor with `rank` axes, with size 1 on the others. */
function countedAlong(axis: number, size: number, rank: number): Tensor {
  return reshape(
    iota([size]),
    Array.from({ length: rank }, (_, i) => (i === axis ? size : 1)),
  );
}

/** For rules that weigh each entry `i` by each entry `k`: both places, `i` along `axis` and `k` along the next. */
function pairs(x: Tensor, axis: number): { readonly i: Tensor; readonly k: Tensor } {
  const size = x.shape[axis]!;
  return { i: countedAlong(axis, size, x.rank + 1), k: countedAlong(axis + 1, size, x.rank + 1) };
}

const cumprodOp = running(
  "cumprod",
  (m, x, y) => m.mul(x!, y!),
  () => 1,
  pushed((t, out, { axis }) => {
    const x = out.inputs[0]!;
    const { i, k } = pairs(x, axis);
    // products[i, k] is the product of entries 0 to k without entry i: no division, so zeros do no harm.
    const products = cumprod(where(eq(i, k), 1, unsqueeze(x, axis)), axis + 1);
    return sum(mul(unsqueeze(t, axis + 1), where(le(i, k), products, 0)), axis);
  }),
);

/**
 * The running product along `axis`, the last unless given: entry `i` is the product of entries 0 to `i`. bool counts as
 * int32. Derivatives are right at zeros too, for which they take time and memory in proportion to the square of the axis.
 *
 * @example
 * ```ts
 * import { cumprod, tensor } from "@cotangent/autograd";
 * cumprod(tensor([1, 2, 3, 4])).toArray(); // => 1,2,6,24
 * ```
 */
export const cumprod: AxisFunction = declare(
  "cumprod",
  (x: Tensor, axis = -1) => {
    return apply(cumprodOp, [counted(x)], { axis: normalizeAxis("cumprod", axis, x.shape) });
  },
  cumprodOp,
  alongAxis(),
);

/** A running extreme. All of an entry's gradient goes to the last of the elements that equal it. */
function extreme(name: string, combine: Body, identity: (dtype: DType) => number): AxisFunction {
  const rule = pushed<Along>((t, out, { axis }) => picked(name, t, axis, lastPlaces(out, axis)));
  const op = { ...running(name, combine, identity, rule), kink: true } as const;
  return declare(
    name,
    (x: Tensor, axis = -1) => {
      refuseBool(name, x.dtype);
      return apply(op, [x.node], { axis: normalizeAxis(name, axis, x.shape) });
    },
    op,
    ofDistinct((draw, shape) => [draw.axis(shape)]),
  );
}

/** Where the running extreme `out` took its elements from. */
function lastPlaces(out: Tensor, axis: number): Tensor {
  const x = out.inputs[0]!;
  const places = countedAlong(axis, x.shape[axis]!, x.rank);
  return cummax(where(logicalOr(eq(x, out), ne(x, x)), places, -1), axis);
}

/**
 * The largest element so far along `axis`, the last unless given; NaN from the first NaN on. Where several tie, the last
 * one gets all of the gradient. Throws DTypeError for bool.
 *
 * @kink where several elements tie, the last one gets all of the gradient
 */
export const cummax: AxisFunction = extreme(
  "cummax",
  (m, x, y) => m.select(m.or(m.le(x!, y!), m.ne(y!, y!)), y!, x!),
  (dtype) => (dtype === "int32" ? -2147483648 : -Infinity),
);

/**
 * The smallest element so far along `axis`, the last unless given; NaN from the first NaN on. Where several tie, the last
 * one gets all of the gradient. Throws DTypeError for bool.
 *
 * @kink where several elements tie, the last one gets all of the gradient
 */
export const cummin: AxisFunction = extreme(
  "cummin",
  (m, x, y) => m.select(m.or(m.le(y!, x!), m.ne(y!, y!)), y!, x!),
  (dtype) => (dtype === "int32" ? 2147483647 : Infinity),
);

const logcumsumexpOp = running(
  "logcumsumexp",
  logaddexpBody,
  () => -Infinity,
  pushed((t, out, { axis }) => {
    const x = out.inputs[0]!;
    const { i, k } = pairs(x, axis);
    // Where all so far are -inf, each weight is exp(-inf - 0) = 0 instead of NaN.
    const shift = where(eq(out, -Infinity), 0, out);
    const apart = sub(unsqueeze(x, axis + 1), unsqueeze(shift, axis));
    const weights = exp(where(le(i, k), apart, -Infinity));
    return sum(mul(unsqueeze(t, axis + 1), weights), axis);
  }),
);

/**
 * The running `log(sum(exp(x)))` along `axis`, the last unless given, without overflow; -inf while all elements are -inf.
 * Integers and bool count as float32. Derivatives take time and memory in proportion to the square of the axis.
 */
export const logcumsumexp: AxisFunction = declare(
  "logcumsumexp",
  (x: Tensor, axis = -1) => {
    const a = isFloat(x.dtype) ? x.node : cast(x, "float32");
    return apply(logcumsumexpOp, [a], { axis: normalizeAxis("logcumsumexp", axis, a.shape) });
  },
  logcumsumexpOp,
  alongAxis(),
);

const prodOp: Op<{ readonly axes: readonly number[] }> = {
  name: "prod",
  kernel: { kind: "reduce", combine: (m, x, y) => m.mul(x!, y!), identity: () => 1 },
  derivatives: [
    pushed((t, out, { axes }) => {
      const x = out.inputs[0]!;
      const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes];
      const rows = (y: Tensor): Tensor =>
        reshape(permute(y, order), [...out.shape, sizeOf(axes.map((i) => x.shape[i]!))]);
      return sum(mul(rows(t), others(rows(x))), -1);
    }),
  ],
  shape: ([x], { axes }) => reducedShape(x!.shape, axes),
  dtype: ([x]) => x!.dtype,
};

/** For each entry of the last axis the product of all others: of those before it and of those after it. */
function others(x: Tensor): Tensor {
  const size = x.shape[x.rank - 1]!;
  if (size < 2) return fill(1, x.shape, x.dtype);
  const one = fill(1, [...x.shape.slice(0, -1), 1], x.dtype);
  const before = (y: Tensor): Tensor => cumprod(cat([one, slice(y, 0, size - 1, { axis: -1 })], -1), -1);
  return mul(before(x), flip(before(flip(x, -1)), -1));
}

/**
 * The product over one axis, several, or all; 1 over nothing. bool counts as int32. The gradient is right at zeros too,
 * in time proportional to the number of elements; second derivatives take its square.
 *
 * @example
 * ```ts
 * import { grad, prod, tensor } from "@cotangent/autograd";
 * const x = tensor([2, 0, 5]);
 * grad(prod(x), [x])[0].toArray(); // => 0,10,0
 * ```
 */
export const prod: Reduction = declare(
  "prod",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => reduction(prodOp, counted(x), axis, options),
  prodOp,
  reduced,
);
