import type { Shape } from "../shape.ts";
import { equalShapes, stridesOf } from "../shape.ts";

/** A whole number that moves evenly with the indices of a loop nest: `offset + steps[0] * i0 + steps[1] * i1 + ...` */
export interface Affine {
  readonly offset: number;
  readonly steps: readonly number[];
}

/** The indices at which something is needed: from and up to, for each loop. */
export type Box = readonly (readonly [from: number, to: number])[];

/** The index of loop `axis` of `rank` loops. */
export function indexOf(axis: number, rank: number): Affine {
  const steps = new Array<number>(rank).fill(0);
  if (axis >= 0) steps[axis] = 1;
  return { offset: 0, steps };
}

/** `offset + weights[0] * parts[0] + ...` over `rank` loops. */
export function weighted(
  offset: number,
  weights: readonly number[],
  parts: readonly Affine[],
  rank: number,
): Affine {
  const steps = new Array<number>(rank).fill(0);
  let start = offset;
  for (let k = 0; k < parts.length; k++) {
    const part = parts[k]!;
    const weight = weights[k]!;
    start += weight * part.offset;
    for (let i = 0; i < rank; i++) steps[i]! += weight * part.steps[i]!;
  }
  return { offset: start, steps };
}

/** As far from where it was for all indices. */
export function moved({ offset, steps }: Affine, by: number): Affine {
  return { offset: offset + by, steps };
}

export function sameAffine(x: Affine, y: Affine): boolean {
  return x.offset === y.offset && equalShapes(x.steps, y.steps);
}

/** The smallest and largest value in `box`, which is not empty. */
export function rangeOf({ offset, steps }: Affine, box: Box): [least: number, greatest: number] {
  let least = offset;
  let greatest = offset;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    const from = box[i]![0];
    const to = box[i]![1];
    least += step > 0 ? step * from : step * (to - 1);
    greatest += step > 0 ? step * (to - 1) : step * from;
  }
  return [least, greatest];
}

export function isEmpty(box: Box): boolean {
  return box.some((range) => range[0] >= range[1]);
}

/**
 * The indices along the axes of `shape` of the element number `flat`, if each of them is affine in `box`; else null (then
 * rows of the one shape straddle rows of the other).
 *
 * Each step is split along the strides. The corner of the box where `flat` is least fixes the offsets, since an element
 * number has only one set of indices inside the shape; then only the other corner remains to be checked.
 */
export function unravel(flat: Affine, shape: Shape, box: Box): Affine[] | null {
  const rank = flat.steps.length;
  if (isEmpty(box)) return shape.map(() => ({ offset: 0, steps: new Array<number>(rank).fill(0) }));
  const strides = stridesOf(shape);
  const steps = shape.map(() => new Array<number>(rank).fill(0));
  flat.steps.forEach((step, i) => {
    if (box[i]![1] - box[i]![0] === 1) return;
    let rest = step;
    strides.forEach((stride, axis) => {
      if (shape[axis] === 1) return;
      const digit = Math.trunc(rest / stride);
      steps[axis]![i] = digit;
      rest -= digit * stride;
    });
  });
  const corner = box.map(([from, to], i) => (flat.steps[i]! < 0 ? to - 1 : from));
  let rest = flat.offset + flat.steps.reduce((sum, step, i) => sum + step * corner[i]!, 0);
  if (rest < 0) return null;
  const coordinates = shape.map((size, axis) => {
    const digit = size === 1 ? 0 : Math.trunc(rest / strides[axis]!);
    rest -= digit * strides[axis]!;
    const own = steps[axis]!;
    return { offset: own.reduce((sum, step, i) => sum - step * corner[i]!, digit), steps: own };
  });
  const inside = coordinates.every((coordinate, axis) => {
    const [least, greatest] = rangeOf(coordinate, box);
    return least >= 0 && greatest < shape[axis]!;
  });
  return rest === 0 && inside ? coordinates : null;
}

/** `5 + 3 i0 + i2` */
export function formatAffine({ offset, steps }: Affine): string {
  const terms = steps.flatMap((step, i) => (step === 0 ? [] : [step === 1 ? `i${i}` : `${step} i${i}`]));
  return [...(offset !== 0 || terms.length === 0 ? [String(offset)] : []), ...terms].join(" + ");
}
