/** Running reductions along one axis, and the product. */
import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import { isFloat, refuseBool } from "../dtype.ts";
import type { Derivative, Op, Tensor } from "../graph.ts";
import { apply, bilinearRule, pushed } from "../graph.ts";
import { normalizeAxis, sizeOf } from "../shape.ts";
import type { Axes, AxisFunction, KeepDims, Reduction } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq, logicalOr, ne } from "./comparison.ts";
import { logaddexpBody } from "./elementary.ts";
import { picked } from "./indexing.ts";
import { cat } from "./join.ts";
import { fill, iota } from "./leaf.ts";
import type { Reduced } from "./movement.ts";
import { counted, permute, reduction, reshape, shapeOfReduced, sum } from "./movement.ts";
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

/** `x` moved on by one place along `axis`, behind `first`. */
function moved(x: Tensor, first: number, axis: number): Tensor {
  if (x.size === 0) return x;
  return cat([fill(first, x.shape.with(axis, 1), x.dtype), slice(x, 0, -1, { axis })], axis);
}

/**
 * For factors `a` and terms `b` the numbers `s` with `s[k] = a[k] s[k - 1] + b[k]` along the axis: what derivatives of running
 * reductions are, without a division.
 */
const recurrenceOp: Op<Along> = {
  name: "recurrence",
  kernel: {
    kind: "opaque",
    run: ([a, b], { data, shape }, { axis }) => {
      const width = sizeOf(shape.slice(axis + 1));
      const row = shape[axis]! * width;
      const sums = Float64Array.from(b!.data);
      for (let start = 0; start < sums.length; start += row)
        for (let i = start + width; i < start + row; i++) sums[i]! += a!.data[i]! * sums[i - width]!;
      data.set(sums);
    },
  },
  derivatives: [
    pushed((t, out, { axis }) => recurrence(out.inputs[0]!, mul(t, moved(out, 0, axis)), axis)),
    bilinearRule((g, out, { axis }) => {
      const back = (y: Tensor): Tensor => flip(y, axis);
      return back(recurrence(moved(back(out.inputs[0]!), 0, axis), back(g), axis));
    }),
  ],
  shape: ([a]) => a!.shape,
  dtype: ([a]) => a!.dtype,
};

const recurrence = (a: Tensor, b: Tensor, axis: number): Tensor => apply(recurrenceOp, [a, b], { axis });

const cumprodOp = running(
  "cumprod",
  (m, x, y) => m.mul(x!, y!),
  () => 1,
  pushed((t, out, { axis }) => recurrence(out.inputs[0]!, mul(t, moved(out, 1, axis)), axis)),
);

/**
 * The running product along `axis`, the last unless given: entry `i` is the product of entries 0 to `i`. bool counts as
 * int32. Derivatives are right at zeros too.
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
  const places = reshape(iota([x.shape[axis]!]), [-1, ...Array(x.rank - 1 - axis).fill(1)]);
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
    const before = moved(out, -Infinity, axis);
    // Where all so far are -inf, each weight is exp(-inf - 0) = 0 instead of NaN.
    const shift = where(eq(out, -Infinity), 0, out);
    const kept = where(eq(before, out), 1, exp(sub(before, shift)));
    const added = mul(t, exp(sub(out.inputs[0]!, shift)));
    return recurrence(kept, added, axis);
  }),
);

/**
 * The running `log(sum(exp(x)))` along `axis`, the last unless given, without overflow; -inf while all elements are -inf.
 * Integers and bool count as float32.
 */
export const logcumsumexp: AxisFunction = declare(
  "logcumsumexp",
  (x: Tensor, axis = -1) => {
    const a = isFloat(x.dtype) ? x.node : cast(x, "float32");
    return apply(logcumsumexpOp, [a], { axis: normalizeAxis("logcumsumexp", axis, a.shape) });
  },
  logcumsumexpOp,
  // Beside the largest so far, many elements do not count.
  alongAxis({ low: -100, high: 2 }),
);

const prodOp: Op<Reduced> = {
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
  shape: shapeOfReduced,
  dtype: ([x]) => x!.dtype,
};

/** For each entry of the last axis the product of all others: of those before it and of those after it. */
function others(x: Tensor): Tensor {
  const before = (y: Tensor): Tensor => cumprod(moved(y, 1, y.rank - 1));
  return mul(before(x), flip(before(flip(x, -1)), -1));
}

/**
 * The product over one axis, several, or all; 1 over nothing. bool counts as int32. Derivatives are right at zeros too, in
 * time proportional to the number of elements.
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
