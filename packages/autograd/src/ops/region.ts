import { ValueError } from "../errors.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { normalizeAxes, normalizeAxis, stridesOf } from "../shape.ts";
import type { Flip, Slice, SliceOptions } from "../signature.ts";
import { reshape } from "./movement.ts";
import { alongAxis, declare, ofRank } from "./sample.ts";
import { view } from "./view.ts";

/**
 * Regions: a part of a tensor, a tensor inside a larger one, and a tensor backwards. slice and pad are each other's adjoint. What is
 * marked as pure, here and elsewhere, bundlers leave out where nothing uses it: the compiler needs this file, and most programs
 * need few of its functions.
 */

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

/** The entries of each axis from `starts` up to `ends`. */
export function sliced(x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor {
  const whole = starts.every((start, i) => start === 0 && ends[i] === x.shape[i]);
  return whole ? x : apply(sliceOp, [x], { starts, ends });
}

type Widths = { readonly before: readonly number[]; readonly after: readonly number[] };

export const padOp: Op<Widths> = view<Widths>({
  name: "pad",
  map: (shape, { before }) => {
    const strides = stridesOf(shape);
    const offset = before.reduce((sum, width, i) => sum - width * strides[i]!, 0);
    return { offset, strides, bounds: shape.map((size, i) => [before[i]!, before[i]! + size] as const) };
  },
  shape: (shape, { before, after }) => shape.map((size, i) => before[i]! + size + after[i]!),
  transpose: (g, shape, { before }) => {
    const ends = before.map((width, i) => width + shape[i]!);
    return parts.get(g)?.(before, ends) ?? sliced(g, before, ends);
  },
});

/** Makes the entries of each axis from `starts` up to `ends`; null if there is nothing better than a slice. */
type Part = (starts: readonly number[], ends: readonly number[]) => Tensor | null;

const parts = new WeakMap<Tensor, Part>();

/** Remembers how a part of `x` can be made without the rest, which is asked for if `x` is the gradient of something padded. */
export function rememberPart(x: Tensor, part: Part): void {
  parts.set(x, part);
}

/** `x` with zeros around it, as many as `before` and `after` say for each axis; borders around borders are one. */
export function padded(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if (before.every((width, i) => width === 0 && after[i] === 0)) return x;
  if (x.op !== padOp) return apply(padOp, [x], { before, after });
  const inner = x.attributes as Widths;
  return padded(
    x.inputs[0]!,
    before.map((width, i) => width + inner.before[i]!),
    after.map((width, i) => width + inner.after[i]!),
  );
}

/** Throws ValueError unless positions and step are whole numbers, as far as they are given, and the step is not 0. */
export function checkStretch(
  name: string,
  start: number | null | undefined,
  end: number | null | undefined,
  step: number,
): void {
  if ([start ?? 0, end ?? 0, step].every(Number.isInteger) && step !== 0) return;
  throw new ValueError(
    `${name}: start is ${start}, end is ${end} and step is ${step}; they are whole numbers, and the step is not 0`,
  );
}

/**
 * The entries `start`, `start + step`, ... before `end` of one axis (the first unless `axis` is given). Negative positions
 * count from the end and positions beyond an end mean that end, as in Python; a negative step walks backwards, from
 * the last entry to the first unless positions are given. Throws ValueError for a step of 0 or fractions.
 */
export const slice: Slice = /* @__PURE__ */ declare(
  "slice",
  (x: Tensor, start?: number | null, end?: number | null, options?: SliceOptions) => {
    const { axis = 0, step = 1 } = optionsOf("slice", options, { axis: true, step: true });
    const along = normalizeAxis("slice", axis, x.shape);
    checkStretch("slice", start, end, step);
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
  ofRank(1, 3, (draw, shape) => {
    const end = () => (draw.integer(0, 2) === 0 ? null : draw.integer(-4, 4));
    const step = [-2, -1, 1, 2, 3][draw.integer(0, 4)]!;
    return [end(), end(), { axis: draw.axis(shape), step }];
  }),
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

const flipOp = /* @__PURE__ */ view<{ readonly axes: readonly number[] }>({
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
export const flip: Flip = /* @__PURE__ */ declare(
  "flip",
  (x: Tensor, axis?: number | readonly number[]) => {
    const a = x.node;
    const axes = normalizeAxes("flip", axis, a.shape);
    return axes.length === 0 ? a : apply(flipOp, [a], { axes });
  },
  flipOp,
  alongAxis(),
);
