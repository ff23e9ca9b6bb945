import type { Op, Tensor } from "../graph.ts";
import { apply } from "../graph.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import { eq } from "./comparison.ts";
import type { Turn } from "./factors.ts";
import { factorsOf, turnsOf, unusedLetters } from "./factors.ts";
import { cat } from "./join.ts";
import { fill } from "./leaf.ts";
import { broadcastTo, permute, reshape, sum, transpose, unsqueeze } from "./movement.ts";
import { entriesApart, placedAlongLast } from "./placed.ts";
import { add, where } from "./pointwise.ts";
import { flip, padded, rememberPart, slice } from "./region.ts";
import { view } from "./view.ts";

/** Windows that slide along several axes and may overlap, and what they are added up to: each other's adjoint. */

// One file, because each is made of the other: what flows back to windows is folded, and folding is a product with windows.

/** For each of `axes`: how many entries a window has, how far windows are apart, and how far their entries. */
export type Windows = {
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
  readonly dilations: readonly number[];
};

export const unfoldOp: Op<Windows> = view<Windows>({
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
  transpose: (g, shape, windows) => gradientOf(g, shape, windows),
});

/** What flows back to a tensor of `shape` from the gradient `g` of its windows. */
function gradientOf(g: Tensor, shape: readonly number[], windows: Windows): Tensor {
  const { axes } = windows;
  const lengths = axes.map((axis) => shape[axis]!);
  const start = axes.map(() => 0);
  const whole = foldedInTurn(g, start, lengths, windows) ?? folded(g, lengths, windows);
  rememberPart(whole, (starts, ends) => {
    const isWhole = shape.every((size, axis) => axes.includes(axis) || ends[axis]! - starts[axis]! === size);
    const [from, to] = [starts, ends].map((list) => axes.map((axis) => list[axis]!));
    return isWhole ? foldedInTurn(g, from!, to!, windows) : null;
  });
  return whole;
}

/** All windows along several axes: these count the windows, and new last axes hold their entries. */
export function windowsOf(x: Tensor, windows: Windows): Tensor {
  return apply(unfoldOp, [x], windows);
}

/** Entries from the first to the last of a window, both included. */
export function spanOf(size: number, dilation: number): number {
  return size === 0 ? 0 : (size - 1) * dilation + 1;
}

/** How many windows that span so many entries start `step` entries apart on an axis of `length`. */
export function countOf(length: number, span: number, step: number): number {
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
  if (step > 1 && dilation > step) return summedApart(x, axis, step, dilation);
  const blocks = inBlocks(x, last, step, dilation);
  const turned = step === 1 ? blocks : transpose(blocks);
  const rest = turned.shape.slice(0, -1);
  if (turned.shape[rest.length] === 1) return reshape(turned, rest);
  return sum(slanted(turned, axis, step === 1 ? -dilation : -1), -1);
}

/**
 * The same, entry by entry: where the entries of a window are further apart than windows are, blocks of them would be zeros for the
 * most part.
 */
function summedApart(x: Tensor, axis: number, step: number, dilation: number): Tensor {
  const last = x.rank - 1;
  const [count, size] = [x.shape[axis]!, x.shape[last]!];
  const blocks = count + Math.ceil(((size - 1) * dilation) / step);
  const rest = x.shape.slice(0, last);
  const parts = Array.from({ length: size }, (_, i) => {
    const entry = reshape(slice(x, i, i + 1, { axis: last }), rest.toSpliced(axis + 1, 0, 1));
    const spread = reshape(resized(entry, axis + 1, step), rest.with(axis, count * step));
    return bordered(spread, axis, i * dilation, blocks * step - i * dilation - count * step);
  });
  const apart = reshape(
    parts.reduce((total, part) => add(total, part)),
    rest.toSpliced(axis, 1, blocks, step),
  );
  const order = rest.map((_, i) => (i > axis ? i + 1 : i));
  return permute(apart, [...order, axis + 1]);
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

/** With windows of the other factor a product may take so many times the multiplications, most of them by the zeros of a border. */
const mostTimes = 4;

/** What `folded` adds up, if `x` is a product as it says there, and of places that are not few beside windows; else null. */
function foldedProduct(x: Tensor, { axes, steps, dilations }: Windows): Tensor | null {
  const found = factorsOf(x, axes);
  if (!found) return null;
  const { own, along, product } = found;
  const slopes = steps.map((step, i) => (step === 1 ? dilations[i]! : 1));
  const letters = unusedLetters(String(x.attributes.spec));
  // From the last axis on, so that new axes do not move those to come.
  const order = own.map((_, i) => i).sort((i, j) => own[j]! - own[i]!);
  let factor = found.factor;
  const sizes: number[] = [];
  for (const i of order) {
    factor = flip(inBlocks(factor, own[i]!, steps[i]!, dilations[i]!), own[i]!);
    sizes[i] = factor.shape[own[i]!]!;
  }
  const borders = found.other.shape.map(() => 0);
  along.forEach((axis, i) => {
    borders[axis] = slopes[i]! * (sizes[i]! - 1);
  });
  const counts = along.map((axis) => found.other.shape[axis]!);
  const alone = counts.map((count, i) => count * found.factor.shape[own[i]!]!);
  const sums = along.map((axis, i) => (counts[i]! + borders[axis]!) * sizes[i]! * steps[i]!);
  if (sizeOf(sums) > mostTimes * sizeOf(alone)) return null;
  const sliding = { axes: along, sizes, steps: steps.map(() => 1), dilations: slopes };
  const other = windowsOf(padded(found.other, borders, borders), sliding);
  return product(
    factor,
    other,
    steps.map((step) => (step > 1 ? letters.next().value! : "")),
  );
}

/** Products that are made at the most, and the share of multiplications that they may leave. */
const mostProducts = 16;
const shareLeft = 0.8;

/**
 * What `folded` gives from one place up to another on each axis, as one product for each of the places that windows come to in turn, without
 * the zeros that fill up the last block of entries; null if there is no product, or little is saved.
 */
export function foldedInTurn(
  x: Tensor,
  from: readonly number[],
  to: readonly number[],
  windows: Windows,
): Tensor | null {
  const { axes, steps, dilations } = windows;
  const found = x.size > 0 && Math.max(...steps) > 1 ? factorsOf(x, axes) : null;
  if (!found) return null;
  const { own, along, product } = found;
  const turns = own.map((axis, i) =>
    turnsOf(found.factor.shape[axis]!, steps[i]!, dilations[i]!, from[i]!, to[i]!),
  );
  const counts = along.map((axis) => found.other.shape[axis]!);
  const work = turns.map((line) => line.reduce((sum, { count, places }) => sum + count * places, 0));
  const whole = own.map((axis, i) => {
    const step = steps[i]!;
    const blocks = Math.ceil(spanOf(found.factor.shape[axis]!, dilations[i]!) / step);
    return (counts[i]! + blocks - 1) * blocks * step;
  });
  const isLess = sizeOf(work) <= shareLeft * sizeOf(whole);
  if (!isLess || sizeOf(steps) > mostProducts) return null;
  const [before, after] = [found.other.shape.map(() => 0), found.other.shape.map(() => 0)];
  turns.forEach((line, i) => {
    for (const { count, offset, slope, places } of line) {
      const axis = along[i]!;
      before[axis] = Math.max(before[axis]!, offset + slope * (count - 1));
      after[axis] = Math.max(after[axis]!, places - offset - counts[i]!);
    }
  });
  const wide = padded(found.other, before, after);
  const made = (chosen: readonly Turn[]): Tensor => {
    let factor = found.factor;
    let part = wide;
    chosen.forEach(({ first, apart, count, offset, slope, places }, i) => {
      factor = flip(slice(factor, first, null, { axis: own[i]!, step: apart }), own[i]!);
      const start = before[along[i]!]! - offset - slope * (count - 1);
      part = slice(part, start, start + places + slope * (count - 1), { axis: along[i]! });
    });
    const sizes = chosen.map(({ count }) => count);
    const slopes = chosen.map(({ slope }) => slope);
    return product(
      factor,
      windowsOf(part, { axes: along, sizes, steps: steps.map(() => 1), dilations: slopes }),
    );
  };
  const shape = x.shape.slice(0, -axes.length);
  const together = (chosen: readonly Turn[]): Tensor => {
    const i = chosen.length;
    if (i === axes.length) {
      if (chosen.every(({ count }) => count > 0)) return made(chosen);
      const sizes = [...shape];
      axes.forEach((axis, k) => {
        sizes[axis] = chosen[k]!.places;
      });
      return fill(0, sizes, x.dtype);
    }
    const parts = turns[i]!.map((turn) => together([...chosen, turn]));
    if (parts.length === 1) return parts[0]!;
    const axis = axes[i]!;
    const even = parts.map((part) => unsqueeze(resized(part, axis, turns[i]![0]!.places), axis + 1));
    const all = cat(even, axis + 1);
    return resized(
      reshape(all, all.shape.toSpliced(axis, 2, all.shape[axis]! * parts.length)),
      axis,
      to[i]! - from[i]!,
    );
  };
  return together([]);
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
