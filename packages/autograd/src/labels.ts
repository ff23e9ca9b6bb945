import { remembered } from "./memo.ts";
import type { Shape } from "./shape.ts";
import { offsetsOf, stridesOf } from "./shape.ts";

/**
 * The labels of a contraction, one letter for each axis: in `"ij,jk->ik"` the letters of the operands and of the result.
 * A letter in both operands and the result counts the batch, one in an operand and the result counts rows (left) or
 * columns (right), and one in both operands alone is summed away.
 */
export interface Labels {
  readonly left: string;
  readonly right: string;
  readonly out: string;
  readonly batch: string;
  readonly rows: string;
  readonly columns: string;
  /** The letters summed over, in the order of the left operand: the order of the sum. */
  readonly inner: string;
}

/** What a spec says, and what follows from it. */
interface Spec extends Labels {
  /** For each letter of the result its axis in the left operand, or `~axis` in the right one. */
  readonly places: readonly number[];
  /** The attributes of the contractions of a cotangent with the right operand, and of the left one with a cotangent. */
  readonly toLeft: { readonly spec: string };
  readonly toRight: { readonly spec: string };
}

const labelsBySpec = new Map<string, Spec>();

/** Reads `"ij,jk->ik"`. Each spec is read once. */
export function readLabels(spec: string): Spec {
  return remembered(labelsBySpec, spec, () => {
    const [left = "", right = "", out = ""] = spec.split(/,|->/);
    const rows = without(out, right);
    const columns = without(out, left);
    return {
      left,
      right,
      out,
      batch: without(out, rows + columns),
      rows,
      columns,
      inner: without(left, out),
      places: [...out].map((c) => (left.includes(c) ? left.indexOf(c) : ~right.indexOf(c))),
      toLeft: { spec: `${out},${right}->${left}` },
      toRight: { spec: `${left},${out}->${right}` },
    };
  });
}

/** The letters that are not among `others`. */
function without(letters: string, others: string): string {
  let kept = "";
  for (const letter of letters) if (!others.includes(letter)) kept += letter;
  return kept;
}

/** The product of the sizes of `letters`, which label axes of `shape` as `of` says. */
export function extent(letters: string, of: string, shape: readonly number[]): number {
  let size = 1;
  for (const letter of letters) size *= shape[of.indexOf(letter)] ?? 1;
  return size;
}

/** The offsets in an operand labelled `own` for all indices of `letters`; letters it does not have do not move it. */
export function labelOffsets(
  letters: string,
  own: string,
  shape: Shape,
  other: string,
  otherShape: Shape,
): Int32Array {
  const strides = stridesOf(shape);
  const sizes = [...letters].map((letter) =>
    own.includes(letter) ? shape[own.indexOf(letter)]! : otherShape[other.indexOf(letter)]!,
  );
  return offsetsOf(
    sizes,
    [...letters].map((letter) => (own.includes(letter) ? strides[own.indexOf(letter)]! : 0)),
  );
}
