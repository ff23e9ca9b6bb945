import type { Body } from "../arithmetic.ts";
import type { DType } from "../dtype.ts";
import { larger, smaller } from "../functions/extreme.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply, linearRule, pushed } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { normalizeAxes, normalizeAxis, reducedShape, sizeOf } from "../shape.ts";
import type { Axes, AxisFunction, KeepDims, Reduction } from "../signature.ts";
import { cast, floating } from "./cast.ts";
import { eq } from "./comparison.ts";
import { checkChoice } from "./elementwise.ts";
import type { Reduced } from "./movement.ts";
import {
  broadcastTo,
  counted,
  keeping,
  reduction,
  reshape,
  shapeOfReduced,
  sum,
  sumAlong,
} from "./movement.ts";
import { div, mul } from "./pointwise.ts";
import { alongAxis, composed, declare } from "./sample.ts";

/** The mean over one axis, several, or all; integers and bool are averaged as float32. The mean of nothing is NaN. */
export const mean: Reduction = composed(
  "mean",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => {
    const a = floating(x);
    const axes = normalizeAxes("mean", axis, a.shape);
    const { keepDims } = optionsOf("mean", options, keeping);
    return div(sumAlong(a, axes, keepDims), sizeOf(axes.map((i) => a.shape[i]!)));
  },
  alongAxis(),
);

/** A reduction to the extreme element; elements that tie for it share the gradient equally. */
function extreme(name: string, combine: Body, identity: (dtype: DType) => number): Reduction {
  const op: Op<Reduced> = {
    name,
    kernel: { kind: "reduce", combine, identity },
    derivatives: [
      pushed((t, out, { axes, ...rest }) => {
        const x = out.inputs[0]!;
        const kept = reducedShape(x.shape, axes, true);
        const chosen = cast(eq(x, broadcastTo(reshape(out, kept), x.shape)), x.dtype);
        return div(sum(mul(t, chosen), axes, rest), sum(chosen, axes, rest));
      }),
    ],
    shape: shapeOfReduced,
    dtype: ([x]) => x!.dtype,
    kink: true,
  };
  return declare(
    name,
    (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) =>
      reduction(op, x.node, axis, options, checkChoice),
    op,
    (draw) => {
      const shape = draw.shape(1);
      const x = draw.integer(0, 3) === 0 ? draw.tied(shape) : draw.distinct(shape);
      return [x, draw.axisOrAll(shape)];
    },
  );
}

const least = (dtype: DType): number => (dtype === "int32" ? -2147483648 : -Infinity);
const greatest = (dtype: DType): number => (dtype === "int32" ? 2147483647 : Infinity);

/**
 * The largest element over one axis, several, or all; NaN if there is one.
 *
 * @kink Elements that tie share the gradient equally.
 */
export const amax: Reduction = extreme("amax", larger, least);

/**
 * The smallest element over one axis, several, or all; NaN if there is one.
 *
 * @kink Elements that tie share the gradient equally.
 */
export const amin: Reduction = extreme("amin", smaller, greatest);

const cumsumOp: Op<{ readonly axis: number; readonly reverse: boolean }> = {
  name: "cumsum",
  kernel: { kind: "scan", combine: (m, x, y) => m.add(x!, y!), identity: () => 0 },
  derivatives: [linearRule((g, _, { axis, reverse }) => apply(cumsumOp, [g], { axis, reverse: !reverse }))],
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
};

/**
 * The running sum along `axis`, the last unless given: entry `i` is the sum of entries 0 to `i`. bool counts as int32; float32 is added
 * up in float64, or every entry would add a rounding to all that come behind it.
 */
export const cumsum: AxisFunction = /* @__PURE__ */ declare(
  "cumsum",
  (x: Tensor, axis = -1) => {
    const numbers = counted(x);
    const wide = numbers.dtype === "float32" ? cast(numbers, "float64") : numbers;
    const sums = apply(cumsumOp, [wide], { axis: normalizeAxis("cumsum", axis, x.shape), reverse: false });
    return cast(sums, numbers.dtype);
  },
  cumsumOp,
  alongAxis(),
);
