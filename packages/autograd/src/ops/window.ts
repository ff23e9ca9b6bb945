import { ShapeError } from "../errors.ts";
import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { readLabels } from "../labels.ts";
import { checkShape, checkWhole, formatShape, normalizeAxis, stridesOf } from "../shape.ts";
import type { Operation } from "../signature.ts";
import { cast } from "./cast.ts";
import { eq } from "./comparison.ts";
import { einsumOp } from "./contraction.ts";
import { fill } from "./leaf.ts";
import { broadcastTo, permute, reshape, sum, transpose } from "./movement.ts";
import { entriesApart, placedAlongLast } from "./placed.ts";
import { where } from "./pointwise.ts";
import { flip, padded, slice } from "./region.ts";
import { composed, declare } from "./sample.ts";
import { view } from "./view.ts";

/** Windows that slide along axes and may overlap. unfold and fold are each other's adjoint. */

/** For each of `axes`: how many entries a window has, how far windows are apart, and how far their entries. */
export type Windows = {
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
  readonly dilations: readonly number[];
};

const unfoldOp: Op<Windows> = view<Windows>({
  name: "unfold",
  map: (shape, { axes, steps, dilations }) => {
    const strides = stridesOf(shape);
    const entries = axes.map((axis, i) => strides[axis]! * dilations[i]!);
    axes.forEach((axis, i) => {
      strides[axis]! *= steps[i]!;
    });
    return { offset: 0, strides: [...strides, ...entries], bounds: null };
  },
  shape: (shape, { axes, sizes, steps, dilations }) => {
    const counts = [...shape];
    axes.forEach((axis, i) => {
      counts[axis] = countOf(shape[axis]!, spanOf(sizes[i]!, dilations[i]!), steps[i]!);
    });
    return [...counts, ...sizes];
  },
  transpose: (g, shape, windows) =>
    folded(
      g,
      windows.axes.map((axis) => shape[axis]!),
      windows,
    ),
});

/** All windows along several axes: these count the windows, and new last axes hold their entries. */
export function windowsOf(x: Tensor, windows: Windows): Tensor {
  return apply(unfoldOp, [x], windows);
}

/** Entries from the first to the last of a window, both included. */
export function spanOf(size: number, dilation: number): number {
  return size === 0 ? 0 : (size - 1) * dilation + 1;
}

/** How many windows that span so many entries start `step` entries apart on an axis of `length`. */
function countOf(length: number, span: number, step: number): number {
  return Math.floor((length - span) / step) + 1;
}

/**
 * A view of windows in the last axis, shifted along `axis` by `slope` entries from each entry of a window to the next:
 * `out[.., p, .., u] = x[.., p + slope * u, .., u]`, counted from the first `p` for which all of them exist.
 */
const slantOp: Op<{ readonly axis: number; readonly slope: number }> = view({
  name: "slant",
  map: (shape, { axis, slope }) => {
    const strides = stridesOf(shape);
    const last = shape.length - 1;
    const shift = slope * strides[axis]!;
    const offset = Math.max(0, -shift * (shape[last]! - 1));
    return { offset, strides: strides.with(last, strides[last]! + shift), bounds: null };
  },
  shape: (shape, { axis, slope }) => {
    const lost = Math.abs(slope) * (shape[shape.length - 1]! - 1);
    return shape.with(axis, shape[axis]! - lost);
  },
  transpose: (g, _, { axis, slope }) => slanted(g, axis, -slope),
});

/** Windows slanted, with zeros where none is. */
function slanted(x: Tensor, axis: number, slope: number): Tensor {
  const border = Math.abs(slope) * (x.shape[x.rank - 1]! - 1);
  return apply(slantOp, [bordered(x, axis, border, border)], { axis, slope });
}

/** `x` with zeros before and behind it on one axis. */
function bordered(x: Tensor, axis: number, before: number, after: number): Tensor {
  const none = x.shape.map(() => 0);
  return padded(x, none.with(axis, before), none.with(axis, after));
}

/** `x` with so many entries on one axis: cut at its end, or with zeros there. */
function resized(x: Tensor, axis: number, size: number): Tensor {
  const missing = size - x.shape[axis]!;
  return missing >= 0 ? bordered(x, axis, 0, missing) : slice(x, 0, size, { axis });
}

/**
 * The windows in the last axes of `x` added up where they came from, on axes of these lengths. A product of which one factor
 * alone has the entries of windows, and the other alone their places, is not made first: its sum over overlapping windows is
 * again a product, with windows of the other factor.
 */
export function folded(x: Tensor, lengths: readonly number[], windows: Windows): Tensor {
  const { axes, steps, dilations } = windows;
  if (x.size === 0) {
    const shape = x.shape.slice(0, -axes.length);
    axes.forEach((axis, i) => {
      shape[axis] = lengths[i]!;
    });
    return fill(0, shape, x.dtype);
  }
  const made = foldedProduct(x, windows) ?? foldedPlaced(x, windows);
  let out = made ?? x;
  for (let i = axes.length - 1; i >= 0; i--) {
    if (made === null) out = summedAlong(out, axes[i]!, steps[i]!, dilations[i]!);
    if (steps[i]! > 1) out = movedBehind(out, axes[i]!);
  }
  return axes.reduce((y, axis, i) => resized(y, axis, lengths[i]!), interleaved(out, windows));
}

/** The last axis right behind `axis`. */
function movedBehind(x: Tensor, axis: number): Tensor {
  const last = x.rank - 1;
  return permute(
    x,
    x.shape.slice(0, last).flatMap((_, i) => (i === axis ? [i, last] : [i])),
  );
}

/** Of steps larger than 1 the place and the remainder behind it as one axis. */
function interleaved(x: Tensor, { axes, steps }: Windows): Tensor {
  const shape: number[] = [];
  let axis = 0;
  while (axis < x.rank) {
    const isApart = steps.some((step, i) => step > 1 && axes[i] === shape.length);
    shape.push(x.shape[axis]! * (isApart ? x.shape[axis + 1]! : 1));
    axis += isApart ? 2 : 1;
  }
  return reshape(x, shape);
}

/**
 * The windows in the last axis added up along `axis`. Of steps larger than 1 the remainders stay apart, in a new last axis, so
 * that the steps between what is added up are 1.
 */
function summedAlong(x: Tensor, axis: number, step: number, dilation: number): Tensor {
  const last = x.rank - 1;
  const blocks = inBlocks(x, last, step, dilation);
  const turned = step === 1 ? blocks : transpose(blocks);
  const rest = turned.shape.slice(0, -1);
  if (turned.shape[rest.length] === 1) return reshape(turned, rest);
  return sum(slanted(turned, axis, step === 1 ? -dilation : -1), -1);
}

/** `axis`, which counts the entries of windows, as blocks of `step` entries (one more axis), or as it is if that is 1. */
function inBlocks(x: Tensor, axis: number, step: number, dilation: number): Tensor {
  if (step === 1) return x;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const size = x.shape[axis]!;
  const spread = resized(reshape(x, [...before, size, 1, ...after]), axis + 1, dilation);
  const span = spanOf(size, dilation);
  const blocks = Math.ceil(span / step);
  const even = resized(
    resized(reshape(spread, [...before, size * dilation, ...after]), axis, span),
    axis,
    blocks * step,
  );
  return reshape(even, [...before, blocks, step, ...after]);
}

/** What `folded` adds up, if `x` is a product as it says there; else null. */
function foldedProduct(x: Tensor, { axes, steps, dilations }: Windows): Tensor | null {
  if (x.op !== einsumOp) return null;
  const { left, right, out } = readLabels(String(x.attributes.spec));
  const places = axes.map((axis) => out[axis]!);
  const entries = [...out.slice(-axes.length)];
  const apart = (own: string, other: string) =>
    entries.every((c) => own.includes(c) && !other.includes(c)) &&
    places.every((c) => other.includes(c) && !own.includes(c));
  const swapped = apart(right, left);
  if (!swapped && !apart(left, right)) return null;
  let [factor, other] = swapped ? [x.inputs[1]!, x.inputs[0]!] : [x.inputs[0]!, x.inputs[1]!];
  let [own, rest] = swapped ? [right, left] : [left, right];
  const slopes = steps.map((step, i) => (step === 1 ? dilations[i]! : 1));
  let remainders = "";
  entries.forEach((entry, i) => {
    const axis = own.indexOf(entry);
    factor = flip(inBlocks(factor, axis, steps[i]!, dilations[i]!), axis);
    if (steps[i] === 1) return;
    const fresh = unusedLetter(left + right + remainders);
    remainders += fresh;
    own = own.replace(entry, entry + fresh);
  });
  const sizes = entries.map((entry) => factor.shape[own.indexOf(entry)]!);
  const borders = other.shape.map(() => 0);
  places.forEach((place, i) => {
    borders[rest.indexOf(place)] = slopes[i]! * (sizes[i]! - 1);
  });
  other = padded(other, borders, borders);
  const along = places.map((place) => rest.indexOf(place));
  other = windowsOf(other, { axes: along, sizes, steps: steps.map(() => 1), dilations: slopes });
  rest += entries.join("");
  const result = out.slice(0, -axes.length) + remainders;
  return swapped
    ? apply(einsumOp, [other, factor], { spec: `${rest},${own}->${result}` })
    : apply(einsumOp, [factor, other], { spec: `${own},${rest}->${result}` });
}

/**
 * What `folded` adds up, if windows overlap and each has one entry that counts: every place looks for itself in all windows that may
 * have it there.
 */
function foldedPlaced(x: Tensor, { axes, steps, dilations }: Windows): Tensor | null {
  const found = placedAlongLast(x, axes.length);
  if (!found) return null;
  const slopes = steps.map((step, i) => (step === 1 ? dilations[i]! : 1));
  const { table, blocks, remainders } = entriesApart(x.shape.slice(-axes.length), steps, dilations);
  if (blocks.every((count) => count === 1)) return null;
  const borders = found.own.shape.map(() => 0);
  axes.forEach((axis, i) => {
    borders[axis] = slopes[i]! * (blocks[i]! - 1);
  });
  const sliding = { axes, sizes: blocks, steps: steps.map(() => 1), dilations: slopes };
  const [own, y] = [found.own, found.y].map((z) => windowsOf(padded(z, borders, borders), sliding));
  // The remainders come before the places, which then lie side by side.
  const front = Math.min(...axes);
  const outer = own!.shape.slice(0, front);
  const inner = own!.shape.slice(front, -axes.length);
  const none = remainders.map(() => 1);
  const shape = [...outer, ...remainders, ...inner, ...blocks];
  const spread = (z: Tensor) => broadcastTo(reshape(z, [...outer, ...none, ...inner, ...blocks]), shape);
  const entries = reshape(table, [...outer.map(() => 1), ...remainders, ...inner.map(() => 1), ...blocks]);
  const all = where(eq(broadcastTo(entries, shape), spread(own!)), spread(y!), 0);
  const sums = sum(
    all,
    blocks.map((_, i) => i - blocks.length),
  );
  const order = sums.shape.map((_, axis) => axis);
  const moved = order.splice(front, remainders.length);
  return permute(sums, [...order, ...moved]);
}

function unusedLetter(used: string): string {
  let code = "A".charCodeAt(0);
  while (used.includes(String.fromCharCode(code))) code++;
  return String.fromCharCode(code);
}

function checkStep(name: string, step: number): void {
  checkWhole(name, "the step", step, 1);
}

/**
 * All windows of `size` entries along `axis`, `step` entries apart: the axis counts the windows, and a new last axis holds their
 * entries. Throws ShapeError if the axis is shorter than a window, ValueError for sizes that are not whole numbers.
 *
 * @example
 * ```ts
 * import { tensor, unfold } from "@cotangent/autograd";
 * unfold(tensor([1, 2, 3, 4]), 0, 2, 1).toArray(); // => [ [ 1, 2 ], [ 2, 3 ], [ 3, 4 ] ]
 * ```
 */
export const unfold: Operation<[axis: number, size: number, step: number]> = declare(
  "unfold",
  (x: Tensor, axis: number, size: number, step: number) => {
    const a = x.node;
    const along = normalizeAxis("unfold", axis, a.shape);
    const length = a.shape[along]!;
    checkShape("unfold", [size]);
    checkStep("unfold", step);
    if (size > length)
      throw new ShapeError(
        `unfold: windows of ${size} entries do not fit on axis ${along} of shape ${formatShape(a.shape)}; pad it first`,
      );
    checkShape("unfold", [...a.shape.with(along, countOf(length, size, step)), size]);
    return windowsOf(a, windowsAlong(along, size, step, length));
  },
  unfoldOp,
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    return [draw.tensor(shape), axis, draw.integer(1, shape.at(axis)!), draw.integer(1, 3)];
  },
);

/** A step beyond the axis gives the same one window; the step in here keeps offsets small. */
function windowsAlong(axis: number, size: number, step: number, length: number): Windows {
  return { axes: [axis], sizes: [size], steps: [Math.min(step, length + 1)], dilations: [1] };
}

/**
 * The windows that `unfold` gave, added up where they came from: `axis` of the result has `size` entries, those in no window are 0.
 * bool counts as int32. Throws ShapeError unless these are the windows of such an axis.
 *
 * @example
 * ```ts
 * import { fold, ones } from "@cotangent/autograd";
 * fold(ones([3, 2]), 0, 4, 1).toArray(); // => 1,2,2,1
 * ```
 */
export const fold: Operation<[axis: number, size: number, step: number]> = composed(
  "fold",
  (x: Tensor, axis: number, size: number, step: number) => {
    const along = normalizeAxis("fold", axis, x.shape.slice(0, -1));
    checkShape("fold", x.shape.slice(0, -1).with(along, size));
    checkStep("fold", step);
    const [count, width] = [x.shape[along]!, x.shape[x.rank - 1]!];
    if (width > size || count !== countOf(size, width, step))
      throw new ShapeError(
        `fold: ${count} windows of ${width} entries in steps of ${step} do not come from an axis of size ${size}; ` +
          "give the size that the axis had before unfold",
      );
    const a: Tensor = x.dtype === "bool" ? cast(x, "int32") : x.node;
    return folded(a, [size], windowsAlong(along, width, step, size));
  },
  (draw) => {
    const shape = draw.shape(1);
    const axis = draw.axis(shape);
    const along = axis < 0 ? axis + shape.length : axis;
    const [length, step] = [shape[along]!, draw.integer(1, 3)];
    const size = draw.integer(1, length);
    return [draw.tensor([...shape.with(along, countOf(length, size, step)), size]), axis, length, step];
  },
);
