import type { Tensor } from "./graph.ts";
import { apply } from "./graph.ts";
import { cat } from "./ops/join.ts";
import { fill } from "./ops/leaf.ts";
import { add } from "./ops/pointwise.ts";
import { padded } from "./ops/region.ts";
import type { Shape } from "./shape.ts";
import { equalShapes, stridesOf } from "./shape.ts";

/**
 * What flows back to a tensor from all its uses, added up. Parts of it that were used by themselves give zeros but for one place, so
 * that T parts would cost T additions of full size. Places side by side are put there instead, by concatenation, and what was
 * gathered is scattered at once.
 */

/** The sum of tensors of one shape and dtype: of scatters last, of regions before them. */
export function total(parts: readonly Tensor[]): Tensor {
  if (!parts.some(mayBePlaced)) return sumOf(parts);
  const regions: Region[] = [];
  const scatters: Tensor[] = [];
  const others: Tensor[] = [];
  for (const part of parts) {
    const region = regionOf(part);
    if (region) regions.push(region);
    else if (part.op.kernel.kind === "scatter") scatters.push(part);
    else others.push(part);
  }
  if (regions.length > 0) others.push(...laid(regions, 0, parts[0]!.shape));
  for (const alike of grouped(scatters, (x) => x.attributes.axis)) others.push(scattered(alike));
  return sumOf(others);
}

/** Most sums are of neither: they are told at a glance. */
function mayBePlaced({ op }: Tensor): boolean {
  return op.kernel.kind === "view" || op.kernel.kind === "scatter";
}

function sumOf(parts: readonly Tensor[]): Tensor {
  return parts.reduce((sum, x): Tensor => add(sum, x));
}

/** Those with one key together, in the order of their first ones. */
function grouped<T>(all: readonly T[], keyOf: (one: T) => unknown): [T, ...T[]][] {
  const groups = new Map<unknown, [T, ...T[]]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return [...groups.values()];
}

/** One for all scatters along the same axis: at each place it adds up in their order. */
function scattered([first, ...more]: readonly [Tensor, ...Tensor[]]): Tensor {
  if (more.length === 0) return first;
  const operand = (k: number): Tensor =>
    cat(
      [first, ...more].map(({ inputs }) => inputs[k]!),
      Number(first.attributes.axis),
    );
  return apply(first.op, [operand(0), operand(1)], first.attributes);
}

/** A tensor that is `x` from `starts` on and 0 elsewhere. */
interface Region {
  readonly x: Tensor;
  readonly starts: readonly number[];
}

/** What `node` puts where, if it is zeros around its operand; whichever op it is, `vmap` has its own. */
function regionOf({ op, inputs, attributes, rank }: Tensor): Region | null {
  if (op.kernel.kind !== "view" || inputs[0]!.rank !== rank) return null;
  const { shape } = inputs[0]!;
  const { bounds, strides } = op.kernel.map(shape, attributes);
  if (!bounds || !equalShapes(strides, stridesOf(shape))) return null;
  const isWhole = bounds.every(([from, to], axis) => to - from === shape[axis]);
  return isWhole ? { x: inputs[0]!, starts: bounds.map(([from]) => from) } : null;
}

/**
 * Tensors whose sum is that of the regions, which begin and end alike along the axes before `axis`: of their size along these, and of
 * `shape` from `axis` on. Regions at the same place are added up. Others are put into rows of regions that do not overlap, each one
 * tensor; there are as many rows as regions overlap at the place where most do.
 */
function laid(regions: readonly Region[], axis: number, shape: Shape): Tensor[] {
  if (axis === shape.length) return [total(regions.map(({ x }) => x))];
  const places = grouped(regions, ({ x, starts }) => `${starts[axis]}+${x.shape[axis]}`);
  const startOf = ([region]: readonly [Region, ...Region[]]): number => region.starts[axis]!;
  const rows: Piece[][] = [];
  for (const same of places.sort((a, b) => startOf(a) - startOf(b)))
    for (const x of laid(same, axis + 1, shape)) {
      const start = startOf(same);
      const row = rows.find((pieces) => endOf(pieces.at(-1)!, axis) <= start);
      if (row) row.push([start, x]);
      else rows.push([[start, x]]);
    }
  return rows.map((pieces) => inRow(pieces, axis, shape[axis]!));
}

/** A tensor and where it begins along an axis. */
type Piece = readonly [start: number, x: Tensor];

function endOf([start, x]: Piece, axis: number): number {
  return start + x.shape[axis]!;
}

/** Pieces in their order along an axis of `size`, with zeros where there is none. */
function inRow(pieces: readonly Piece[], axis: number, size: number): Tensor {
  const [start, x] = pieces[0]!;
  if (pieces.length === 1) {
    const none = x.shape.map(() => 0);
    return padded(x, none.with(axis, start), none.with(axis, size - endOf(pieces[0]!, axis)));
  }
  const parts: Tensor[] = [];
  let end = 0;
  const zerosUpTo = (next: number): void => {
    if (next > end) parts.push(fill(0, x.shape.with(axis, next - end), x.dtype));
  };
  for (const piece of pieces) {
    zerosUpTo(piece[0]);
    parts.push(piece[1]);
    end = endOf(piece, axis);
  }
  zerosUpTo(size);
  return cat(parts, axis);
}
