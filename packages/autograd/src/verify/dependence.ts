import type { TypedArray } from "../dtype.ts";
import { allocate } from "../dtype.ts";
import type { Tensor } from "../graph.ts";
import { compute } from "../kernels.ts";
import { readLabels } from "../labels.ts";
import type { Shape } from "../shape.ts";
import { sizeOf, stridesOf, walk } from "../shape.ts";

/** A number for each element of an operand, 0 or less; null stands for zeros. */
export type Ranks = Float64Array | null;

/**
 * For each element of `node` the least rank among the elements of the operands, whose values are given, that it is computed from. Of
 * an opaque op each element is computed from all.
 */
export function leastRanks(
  node: Tensor,
  values: readonly TypedArray[],
  ranks: readonly Ranks[],
): Float64Array {
  const out = new Float64Array(node.size);
  const { kernel } = node.op;
  const full = (k: number) => ranks[k] ?? new Float64Array(values[k]!.length);
  switch (kernel.kind) {
    case "leaf":
      break;
    case "pointwise":
      leastAtPlace(node, values, ranks, out);
      break;
    case "view":
      compute(node, [full(0)], out);
      break;
    case "concatenate":
      compute(node, [...values.keys()].map(full), out);
      break;
    case "gather":
      compute(node, [full(0), values[1]!], out);
      break;
    case "scatter":
      leastScattered(node, full(0), values[1]!, out);
      break;
    case "reduce":
      leastOfFactor(axesOf(node.inputs[0]!.shape), node.inputs[0]!.shape, keptAxes(node), full(0), node, out);
      break;
    case "scan":
      leastSoFar(node, full(0), out);
      break;
    case "contract": {
      const labels = readLabels(String(node.attributes.spec));
      [labels.left, labels.right].forEach((own, k) => {
        leastOfFactor([...own], node.inputs[k]!.shape, [...labels.out], full(k), node, out);
      });
      break;
    }
    case "opaque":
      out.fill(ranks.reduce((least, own) => leastOf(own, least), 0));
      break;
    default:
      kernel satisfies never;
  }
  return out;
}

/** The least of these and another rank. */
export function leastOf(ranks: Ranks, other: number): number {
  return ranks ? ranks.reduce((least, rank) => Math.min(least, rank), other) : other;
}

/** Does an element of this op always have the value of an element of an operand, or 0? */
export function isMovement({ op: { kernel } }: Tensor): boolean {
  return kernel.kind === "view" || kernel.kind === "gather" || kernel.kind === "concatenate";
}

function lower(out: Float64Array, at: number, rank: number): void {
  if (rank < out[at]!) out[at] = rank;
}

/** Of several operands with ranks only those count that would make the element not finite by themselves, if there is one. */
function leastAtPlace(
  node: Tensor,
  values: readonly TypedArray[],
  ranks: readonly Ranks[],
  out: Float64Array,
): void {
  const ranked = [...ranks.keys()].filter((k) => ranks[k]);
  if (ranked.length > 1)
    for (const k of ranked) {
      const result = allocate(node.dtype, node.size);
      // The others are made harmless: such as the branch of where that was not taken.
      const alone = values.map((x, other) =>
        other === k || !ranks[other] ? x : x.map((value) => (Number.isFinite(value) ? value : 1)),
      );
      compute(node, alone, result);
      for (let i = 0; i < out.length; i++) if (!Number.isFinite(result[i]!)) lower(out, i, ranks[k]![i]!);
    }
  for (let i = 0; i < out.length; i++) if (out[i] === 0) for (const k of ranked) lower(out, i, ranks[k]![i]!);
}

function leastScattered(node: Tensor, ranks: Float64Array, index: TypedArray, out: Float64Array): void {
  const axis = Number(node.attributes.axis);
  const strides = stridesOf(node.shape);
  walk(node.inputs[0]!.shape, strides.with(axis, 0), (at, i) => {
    lower(out, at + index[i]! * strides[axis]!, ranks[i]!);
  });
}

function leastSoFar(node: Tensor, ranks: Float64Array, out: Float64Array): void {
  const axis = Number(node.attributes.axis);
  const [stride, size] = [stridesOf(node.shape)[axis]!, node.shape[axis]!];
  const isBackward = Boolean(node.attributes.reverse);
  for (let step = 0; step < out.length; step++) {
    const i = isBackward ? out.length - 1 - step : step;
    const at = Math.floor(i / stride) % size;
    out[i] = ranks[i]!;
    if (at !== (isBackward ? size - 1 : 0)) lower(out, i, out[isBackward ? i + stride : i - stride]!);
  }
}

const axesOf = (shape: Shape): string[] => shape.map((_, axis) => String(axis));

const keptAxes = ({ inputs, attributes }: Tensor): string[] => {
  const { axes, keepDims } = attributes;
  const isGone = (axis: string) => (axes as readonly number[]).includes(Number(axis));
  return axesOf(inputs[0]!.shape).flatMap((axis) => (!isGone(axis) ? [axis] : keepDims ? [""] : []));
};

/** A factor whose axes have the labels `own`: those that are not among the labels of the result are combined. */
function leastOfFactor(
  own: readonly string[],
  shape: Shape,
  labels: readonly string[],
  ranks: Float64Array,
  node: Tensor,
  out: Float64Array,
): void {
  const kept = own.filter((label) => labels.includes(label));
  const sizes = kept.map((label) => shape[own.indexOf(label)]!);
  const strides = stridesOf(sizes);
  const strideOf = (label: string) => strides[kept.indexOf(label)] ?? 0;
  const least = new Float64Array(sizeOf(sizes));
  walk(shape, own.map(strideOf), (at, i) => lower(least, at, ranks[i]!));
  walk(node.shape, labels.map(strideOf), (at, i) => lower(out, i, least[at]!));
}
