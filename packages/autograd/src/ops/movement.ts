import { ShapeError } from "../errors.ts";
import type { Op } from "../graph.ts";
import { apply, linearRule, Tensor } from "../graph.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import {
  broadcastsTo,
  checkList,
  checkShape,
  equalShapes,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  ownShape,
  reducedShape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import type {
  Axes,
  BroadcastTo,
  KeepDims,
  Permute,
  Reduction,
  Reshape,
  Squeeze,
  Transpose,
  Unsqueeze,
} from "../signature.ts";
import { cast } from "./cast.ts";
import { composed, declare, ofRank, reduced } from "./sample.ts";
import { view } from "./view.ts";

/**
 * Movement: elements change place and are not computed with. The family is closed under transposition, which is why
 * `sum` lives here: broadcastTo and sum are each other's adjoint (and in `region.ts` slice and pad are).
 */

const reshapeOp = view<{ readonly shape: Shape }>({
  name: "reshape",
  map: (_, { shape }) => ({ offset: 0, strides: stridesOf(shape), bounds: null }),
  shape: (_, { shape }) => shape,
  transpose: (g, shape) => reshape(g, shape),
});

/**
 * The elements of `x`, row by row, in another shape of the same size; one size may be -1 and is then found. Throws
 * ShapeError if the sizes do not fit.
 */
export const reshape: Reshape = declare(
  "reshape",
  (x: Tensor, shape: Shape) => {
    const a = x.node;
    checkList("reshape", shape);
    if (equalShapes(a.shape, shape)) return a;
    return apply(reshapeOp, [a], {
      shape: shape.includes(-1) ? solvedShape(a.shape, shape) : checkedShape(a.shape, shape),
    });
  },
  reshapeOp,
  ofRank(1, 3, (draw, shape) => [draw.coin() ? [-1] : [1, ...shape].reverse()]),
);

function checkedShape(from: Shape, to: Shape): Shape {
  const own = ownShape("reshape", to);
  if (sizeOf(from) !== sizeOf(to))
    throw new ShapeError(
      `reshape: shape ${formatShape(from)} has ${sizeOf(from)} elements and ${formatShape(to)} has ${sizeOf(to)}`,
    );
  return own;
}

/** `to` with its one -1 replaced by what is left of the elements. */
function solvedShape(from: Shape, to: Shape): Shape {
  const known = to.filter((size) => size !== -1);
  checkShape("reshape", known);
  const rest = sizeOf(from) / sizeOf(known);
  if (known.length !== to.length - 1 || !Number.isInteger(rest))
    throw new ShapeError(
      `reshape: no size for -1 makes ${formatShape(to)} hold the ${sizeOf(from)} elements of ${formatShape(from)}; ` +
        "at most one size may be -1, and the others must divide the number of elements",
    );
  return to.map((size) => (size === -1 ? rest : size));
}

const permuteOp = view<{ readonly axes: readonly number[] }>({
  name: "permute",
  map: (shape, { axes }) => {
    const strides = stridesOf(shape);
    return { offset: 0, strides: axes.map((axis) => strides[axis]!), bounds: null };
  },
  shape: (shape, { axes }) => axes.map((axis) => shape[axis]!),
  transpose: (g, _, { axes }) => permute(g, inverse(axes)),
});

/** The axes of `x` in another order: axis `i` of the result is axis `axes[i]` of `x`. */
export const permute: Permute = declare(
  "permute",
  (x: Tensor, axes: readonly number[]) => {
    const a = x.node;
    checkList("permute", axes, "[1, 0]");
    const order = axes.map((axis) => normalizeAxis("permute", axis, a.shape));
    if (order.length !== a.rank || new Set(order).size !== a.rank)
      throw new ShapeError(
        `permute: axes ${formatShape(axes)} of shape ${formatShape(a.shape)}; name each of its ${a.rank} axes once`,
      );
    return order.every((axis, i) => axis === i) ? a : apply(permuteOp, [a], { axes: order });
  },
  permuteOp,
  (draw) => {
    const shape = draw.shape();
    const axes = shape.map((_, i) => i);
    return [draw.tensor(shape), draw.coin() ? axes.reverse() : [...axes.slice(1), ...axes.slice(0, 1)]];
  },
);

function inverse(axes: readonly number[]): number[] {
  const back = new Array<number>(axes.length);
  axes.forEach((axis, i) => {
    back[axis] = i;
  });
  return back;
}

/** `x` with two axes exchanged, the last two unless given. Throws ShapeError if `x` has no such axes. */
export const transpose: Transpose = composed(
  "transpose",
  (x: Tensor, axisA: number = -2, axisB: number = -1) => {
    const a = normalizeAxis("transpose", axisA, x.shape);
    const b = normalizeAxis("transpose", axisB, x.shape);
    return permute(
      x,
      x.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
    );
  },
  (draw) => [draw.tensor(draw.shape(2))],
);

const broadcastOp = view<{ readonly shape: Shape }>({
  name: "broadcastTo",
  map: (from, { shape }) => {
    const own = stridesOf(from);
    const added = shape.length - from.length;
    const strides = shape.map((_, i) => (i < added || from[i - added] === 1 ? 0 : own[i - added]!));
    return { offset: 0, strides, bounds: null };
  },
  shape: (_, { shape }) => shape,
  transpose: (g, shape) => summedTo(g, shape),
});

/** `x` stretched to `shape`: new axes in front, and axes of size 1 repeated. Throws ShapeError if that does not give `shape`. */
export const broadcastTo: BroadcastTo = declare(
  "broadcastTo",
  (x: Tensor, shape: Shape) => {
    const a = x.node;
    if (equalShapes(a.shape, shape)) return a;
    const own = ownShape("broadcastTo", shape);
    if (!broadcastsTo(a.shape, shape))
      throw new ShapeError(
        `broadcastTo: shape ${formatShape(a.shape)} does not broadcast to ${formatShape(shape)}; aligned at the end, ` +
          "each of its sizes must be equal or 1",
      );
    return stretched(a, own);
  },
  broadcastOp,
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape.slice(1).map((size) => (draw.coin() ? 1 : size))), shape];
  },
);

/** The same for a shape that is known to fit, and that nobody changes. */
export function stretched(a: Tensor, shape: Shape): Tensor {
  return equalShapes(a.shape, shape) ? a : new Tensor(broadcastOp, null, { shape }, shape, a.dtype, a);
}

/** `x`, with bool as int32. */
export const counted = (x: Tensor): Tensor => (x.dtype === "bool" ? cast(x, "int32") : x.node);

/** The options of reductions. */
export const keeping: Known<KeepDims<boolean>> = { keepDims: "boolean" };

/** What reductions know of themselves. */
export type Reduced = { readonly axes: readonly number[]; readonly keepDims?: true };

/** The shape that a reduction leaves. */
export const shapeOfReduced: Op<Reduced>["shape"] = ([x], { axes, keepDims }) =>
  reducedShape(x!.shape, axes, keepDims);

/** The reduction of `a` by `op` along the axes, if `check` has nothing against it. */
export function reduction(
  op: Op<Reduced>,
  a: Tensor,
  axis: Axes,
  options: KeepDims<boolean> | undefined,
  check?: (name: string, a: Tensor, axes: readonly number[]) => void,
): Tensor {
  const axes = normalizeAxes(op.name, axis, a.shape);
  check?.(op.name, a, axes);
  const { keepDims } = optionsOf(op.name, options, keeping);
  return reducing(op, a, axes, keepDims);
}

function reducing(op: Op<Reduced>, a: Tensor, axes: readonly number[], keepDims = false): Tensor {
  return axes.length === 0 ? a : apply(op, [a], keepDims ? { axes, keepDims } : { axes });
}

const sumOp: Op<Reduced> = {
  name: "sum",
  kernel: { kind: "reduce", combine: (m, x, y) => m.add(x!, y!), identity: () => 0 },
  derivatives: [
    linearRule((g, out, { axes }) => {
      const shape = out.inputs[0]!.shape;
      return broadcastTo(reshape(g, reducedShape(shape, axes, true)), shape);
    }),
  ],
  shape: shapeOfReduced,
  dtype: ([x]) => x!.dtype,
};

/**
 * The sum over one axis, several, or all (then a rank-0 tensor); `keepDims` leaves size 1 there. bool counts as int32.
 * The sum of nothing is 0. The order of the additions is fixed by shape and axes (`order.ts`).
 */
export const sum: Reduction = declare(
  "sum",
  (x: Tensor, axis?: Axes, options?: KeepDims<boolean>) => reduction(sumOp, counted(x), axis, options),
  sumOp,
  reduced,
);

/** The sum of `a` over axes that are counted from the front and in order. */
export function sumAlong(a: Tensor, axes: readonly number[], keepDims = false): Tensor {
  return reducing(sumOp, a, axes, keepDims);
}

/** `x` summed over what broadcasting from `shape` had stretched: the adjoint of `broadcastTo`. */
export const sumTo: BroadcastTo = composed(
  "sumTo",
  (x: Tensor, shape: Shape) => {
    checkShape("sumTo", shape);
    if (!broadcastsTo(shape, x.shape))
      throw new ShapeError(
        `sumTo: shape ${formatShape(shape)} does not broadcast to ${formatShape(x.shape)}`,
      );
    return summedTo(counted(x), shape);
  },
  ofRank(0, 3, (draw, shape) => [shape.slice(1).map((size) => (draw.coin() ? 1 : size))]),
);

/** The same for a shape that broadcasts to that of `x`. */
function summedTo(x: Tensor, shape: Shape): Tensor {
  const added = x.rank - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < x.rank; i++)
    if (i < added || (shape[i - added] === 1 && x.shape[i] !== 1)) axes.push(i);
  return reshape(sumAlong(x, axes, added === 0), shape);
}

/** `x` without its axes of size 1, or without the given ones. Throws ShapeError if a given axis has another size. */
export const squeeze: Squeeze = composed(
  "squeeze",
  (x: Tensor, axis?: number | readonly number[]) => {
    const all = x.shape.flatMap((size, i) => (size === 1 ? [i] : []));
    const axes = axis === undefined ? all : normalizeAxes("squeeze", axis, x.shape);
    for (const i of axes)
      if (x.shape[i] !== 1)
        throw new ShapeError(
          `squeeze: axis ${i} of shape ${formatShape(x.shape)} has size ${x.shape[i]}, not 1`,
        );
    return reshape(x, reducedShape(x.shape, axes));
  },
  (draw) => [draw.tensor([1, ...draw.shape(0, 2)]), 0],
);

/** `x` with a new axis of size 1 at position `axis` of the result. */
export const unsqueeze: Unsqueeze = composed(
  "unsqueeze",
  (x: Tensor, axis: number) => {
    const at = normalizeAxis("unsqueeze", axis, [...x.shape, 1]);
    return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  },
  ofRank(0, 3, (draw, shape) => [draw.integer(-shape.length - 1, shape.length)]),
);
