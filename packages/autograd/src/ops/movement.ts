import { ShapeError, ValueError } from "../errors.ts";
import type { Attributes, IndexMap, Op, Tensor } from "../graph.ts";
import { apply, linear } from "../graph.ts";
import type { Shape } from "../shape.ts";
import {
  broadcastsTo,
  checkShape,
  equalShapes,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import type {
  BroadcastTo,
  Flip,
  Pad,
  Permute,
  Reduction,
  Reshape,
  Slice,
  Squeeze,
  Transpose,
  Unsqueeze,
} from "../signature.ts";
import { cast } from "./cast.ts";
import { alongAxis, composed, declare } from "./sample.ts";

/**
 * Movement: elements change place and are not computed with. The family is closed under transposition, which is why
 * `sum` lives here: broadcastTo and sum are each other's adjoint, and so are slice and pad.
 */

type View<A extends Attributes> = {
  readonly name: string;
  map(shape: Shape, attributes: A): IndexMap;
  shape(shape: Shape, attributes: A): Shape;
  transpose(g: Tensor, shape: Shape, attributes: A): Tensor;
};

/** An op that reads the elements of its one operand at other places. */
function view<A extends Attributes>({ name, map, shape, transpose }: View<A>): Op<A> {
  return {
    name,
    kernel: { kind: "view", map },
    derivatives: [linear<A>((g, out, attributes) => transpose(g, out.inputs[0]!.shape, attributes))],
    shape: ([x], attributes) => shape(x!.shape, attributes),
    dtype: ([x]) => x!.dtype,
  };
}

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
    if (equalShapes(a.shape, shape)) return a;
    return apply(reshapeOp, [a], {
      shape: shape.includes(-1) ? solvedShape(a.shape, shape) : checkedShape(a.shape, shape),
    });
  },
  reshapeOp,
  (draw) => {
    const shape = draw.shape(1);
    return [draw.tensor(shape), draw.integer(0, 1) === 0 ? [-1] : [1, ...shape].reverse()];
  },
);

function checkedShape(from: Shape, to: Shape): Shape {
  checkShape("reshape", to);
  if (sizeOf(from) !== sizeOf(to))
    throw new ShapeError(
      `reshape: shape ${formatShape(from)} has ${sizeOf(from)} elements and ${formatShape(to)} has ${sizeOf(to)}`,
    );
  return to;
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
    return [
      draw.tensor(shape),
      draw.integer(0, 1) === 0 ? axes.reverse() : [...axes.slice(1), ...axes.slice(0, 1)],
    ];
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
  transpose: (g, shape) => sumTo(g, shape),
});

/** `x` stretched to `shape`: new axes in front, and axes of size 1 repeated. Throws ShapeError if that does not give `shape`. */
export const broadcastTo: BroadcastTo = declare(
  "broadcastTo",
  (x: Tensor, shape: Shape) => {
    const a = x.node;
    if (equalShapes(a.shape, shape)) return a;
    checkShape("broadcastTo", shape);
    if (!broadcastsTo(a.shape, shape))
      throw new ShapeError(
        `broadcastTo: shape ${formatShape(a.shape)} does not broadcast to ${formatShape(shape)}; aligned at the end, ` +
          "each of its sizes must be equal or 1",
      );
    return apply(broadcastOp, [a], { shape });
  },
  broadcastOp,
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape.slice(1).map((size) => (draw.integer(0, 1) === 0 ? 1 : size))), shape];
  },
);

const sumOp: Op<{ readonly axes: readonly number[] }> = {
  name: "sum",
  kernel: { kind: "reduce", combine: (m, x, y) => m.add(x!, y!), identity: () => 0 },
  derivatives: [
    linear((g, out, { axes }) => {
      const shape = out.inputs[0]!.shape;
      return broadcastTo(reshape(g, reducedShape(shape, axes, true)), shape);
    }),
  ],
  shape: ([x], { axes }) => reducedShape(x!.shape, axes),
  dtype: ([x]) => x!.dtype,
};

/**
 * The sum over one axis, several, or all (then a rank-0 tensor); `keepDims` leaves size 1 there. bool counts as int32.
 * The sum of nothing is 0. The order of the additions is fixed by shape and axes (`order.ts`).
 */
export const sum: Reduction = declare(
  "sum",
  (
    x: Tensor,
    axis?: number | readonly number[],
    { keepDims = false }: { readonly keepDims?: boolean } = {},
  ) => {
    const a = x.dtype === "bool" ? cast(x, "int32") : x.node;
    const axes = normalizeAxes("sum", axis, a.shape);
    const out = axes.length === 0 ? a : apply(sumOp, [a], { axes });
    return keepDims ? reshape(out, reducedShape(a.shape, axes, true)) : out;
  },
  sumOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.integer(0, 3) === 0 ? undefined : draw.axis(shape);
    return [draw.tensor(shape), axis, { keepDims: draw.integer(0, 1) === 1 }];
  },
);

/** `x` summed over what broadcasting from `shape` had stretched: the adjoint of `broadcastTo`. */
export const sumTo: BroadcastTo = composed(
  "sumTo",
  (x: Tensor, shape: Shape) => {
    checkShape("sumTo", shape);
    if (!broadcastsTo(shape, x.shape))
      throw new ShapeError(
        `sumTo: shape ${formatShape(shape)} does not broadcast to ${formatShape(x.shape)}`,
      );
    const added = x.rank - shape.length;
    const axes = x.shape.flatMap((size, i) =>
      i < added || (shape[i - added] === 1 && size !== 1) ? [i] : [],
    );
    return reshape(sum(x, axes), shape);
  },
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape), shape.slice(1).map((size) => (draw.integer(0, 1) === 0 ? 1 : size))];
  },
);

const sliceOp = view<{ readonly starts: readonly number[]; readonly ends: readonly number[] }>({
  name: "slice",
  map: (shape, { starts }) => {
    const strides = stridesOf(shape);
    return {
      offset: starts.reduce((offset, start, i) => offset + start * strides[i]!, 0),
      strides,
      bounds: null,
    };
  },
  shape: (_, { starts, ends }) => starts.map((start, i) => ends[i]! - start),
  transpose: (g, shape, { starts, ends }) =>
    padded(
      g,
      starts,
      ends.map((end, i) => shape[i]! - end),
    ),
});

function sliced(x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor {
  const whole = starts.every((start, i) => start === 0 && ends[i] === x.shape[i]);
  return whole ? x : apply(sliceOp, [x], { starts, ends });
}

const padOp = view<{ readonly before: readonly number[]; readonly after: readonly number[] }>({
  name: "pad",
  map: (shape, { before }) => {
    const strides = stridesOf(shape);
    const offset = before.reduce((sum, width, i) => sum - width * strides[i]!, 0);
    return { offset, strides, bounds: shape.map((size, i) => [before[i]!, before[i]! + size] as const) };
  },
  shape: (shape, { before, after }) => shape.map((size, i) => before[i]! + size + after[i]!),
  transpose: (g, shape, { before }) =>
    sliced(
      g,
      before,
      before.map((width, i) => width + shape[i]!),
    ),
});

function padded(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  const nothing = before.every((width, i) => width === 0 && after[i] === 0);
  return nothing ? x : apply(padOp, [x], { before, after });
}

/**
 * The entries `start`, `start + step`, ... before `end` of one axis (the first unless `axis` is given). Negative positions
 * count from the end and positions beyond an end mean that end, as in Python; a negative step walks backwards, from
 * the last entry to the first unless positions are given. Throws ValueError for a step of 0 or fractions.
 */
export const slice: Slice = declare(
  "slice",
  (
    x: Tensor,
    start?: number | null,
    end?: number | null,
    { axis = 0, step = 1 }: { axis?: number; step?: number } = {},
  ) => {
    const along = normalizeAxis("slice", axis, x.shape);
    for (const [word, value] of [
      ["start", start ?? 0],
      ["end", end ?? 0],
      ["step", step],
    ] as const)
      if (!Number.isInteger(value) || (word === "step" && value === 0))
        throw new ValueError(
          `slice: ${word} is ${value}; positions are whole numbers, and the step is not 0`,
        );
    const size = x.shape[along]!;
    if (step < 0) {
      const mirrored = (at: number | null | undefined) =>
        at == null ? at : size - 1 - (at < 0 ? at + size : at);
      const from = start != null && start < -size ? size : mirrored(start);
      const to = end != null && end < -size ? null : mirrored(end);
      return steps(
        flip(x, along),
        along,
        Math.max(0, from ?? 0),
        Math.max(0, Math.min(size, to ?? size)),
        -step,
      );
    }
    const place = (at: number) => Math.max(0, Math.min(size, at < 0 ? at + size : at));
    return steps(x.node, along, place(start ?? 0), place(end ?? size), step);
  },
  sliceOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const [start, end] = [draw.integer(-4, 4), draw.integer(-4, 4)];
    const step = [-2, -1, 1, 2, 3][draw.integer(0, 4)]!;
    return [
      draw.tensor(shape),
      draw.integer(0, 2) === 0 ? null : start,
      draw.integer(0, 2) === 0 ? null : end,
      { axis, step },
    ];
  },
);

/** Every `step`-th entry from `from` up to `to`: larger steps by reading the axis as rows of `step` entries. */
function steps(x: Tensor, axis: number, from: number, to: number, step: number): Tensor {
  const replaced = (value: number, others: readonly number[]) =>
    others.map((other, i) => (i === axis ? value : other));
  const none = x.shape.map(() => 0);
  const count = Math.max(0, Math.ceil((to - from) / step));
  const stop = Math.min(x.shape[axis]!, from + count * step);
  const part = sliced(x, replaced(count === 0 ? 0 : from, none), replaced(count === 0 ? 0 : stop, x.shape));
  if (step === 1 || count === 0) return part;
  const full = padded(part, none, replaced(count * step - part.shape[axis]!, none));
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const rows = reshape(full, [...outer, count, step, ...inner]);
  const first = sliced(
    rows,
    rows.shape.map(() => 0),
    rows.shape.map((size, i) => (i === axis + 1 ? 1 : size)),
  );
  return reshape(first, [...outer, count, ...inner]);
}

/**
 * `x` with zeros around it: `widths` are `[before, after]` for each axis, or one number for all sides. Throws ShapeError
 * if there are not as many pairs as axes, ValueError for widths that are not whole numbers of at least 0.
 */
export const pad: Pad = declare(
  "pad",
  (x: Tensor, widths: number | readonly (readonly [number, number])[]) => {
    const a = x.node;
    const pairs = typeof widths === "number" ? a.shape.map(() => [widths, widths] as const) : widths;
    if (pairs.length !== a.rank)
      throw new ShapeError(
        `pad: ${pairs.length} pairs of widths for shape ${formatShape(a.shape)}; give one for each axis`,
      );
    for (const width of pairs.flat())
      if (!Number.isInteger(width) || width < 0)
        throw new ValueError(`pad: width ${width}; widths are whole numbers of at least 0, use slice to cut`);
    checkShape(
      "pad",
      a.shape.map((size, i) => size + pairs[i]![0] + pairs[i]![1]),
    );
    return padded(
      a,
      pairs.map((pair) => pair[0]),
      pairs.map((pair) => pair[1]),
    );
  },
  padOp,
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape), shape.map(() => [draw.integer(0, 2), draw.integer(0, 2)])];
  },
);

const flipOp = view<{ readonly axes: readonly number[] }>({
  name: "flip",
  map: (shape, { axes }) => {
    const strides = stridesOf(shape);
    const offset = axes.reduce((sum, axis) => sum + (shape[axis]! - 1) * strides[axis]!, 0);
    return {
      offset,
      strides: strides.map((stride, i) => (axes.includes(i) ? -stride : stride)),
      bounds: null,
    };
  },
  shape: (shape) => shape,
  transpose: (g, _, { axes }) => flip(g, axes),
});

/** `x` with the entries of one axis, several, or all in reverse order. */
export const flip: Flip = declare(
  "flip",
  (x: Tensor, axis?: number | readonly number[]) => {
    const a = x.node;
    const axes = normalizeAxes("flip", axis, a.shape);
    return axes.length === 0 ? a : apply(flipOp, [a], { axes });
  },
  flipOp,
  alongAxis(),
);

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
  (draw) => {
    const shape = draw.shape();
    return [draw.tensor(shape), draw.integer(-shape.length - 1, shape.length)];
  },
);
