import type { DType, TypedArray } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import { formatShape } from "../shape.ts";

/** At most this many elements are printed whole; of more, only the edges of each axis. */
const limit = 1000;
const edge = 3;

/**
 * The elements as NumPy prints them: aligned, four decimals at the most, brackets for axes.
 *
 *     Tensor([[0.5000, 1.2500],
 *             [2.0000, 0.3333]], float32)
 */
export function printTensor(data: TypedArray, shape: Shape, dtype: DType, prefix: string): string {
  const shown =
    data.length > limit
      ? shape.map((size) => (size > 2 * edge ? edgesOf(size) : range(size)))
      : shape.map(range);
  const texts = new Map<number, string>();
  visit(shown, shape, (at) => texts.set(at, ""));
  const format = formatter(
    [...texts.keys()].map((at) => data[at]!),
    dtype,
  );
  for (const at of texts.keys()) texts.set(at, format(data[at]!));
  const width = Math.max(0, ...[...texts.values()].map((text) => text.length));
  const pad = (text: string) => (shape.length === 0 ? text : text.padStart(width));
  const body = block(shown, shape, 0, 0, prefix.length + 1, (at) => pad(texts.get(at)!));
  const size = data.length > limit || data.length === 0 ? `, shape ${formatShape(shape)}` : "";
  return `${prefix}(${body}${size}, ${dtype})`;
}

const range = (size: number): (number | null)[] => Array.from({ length: size }, (_, i) => i);

/** The first and last indices, with null for what is left out. */
const edgesOf = (size: number): (number | null)[] => [0, 1, 2, null, size - 3, size - 2, size - 1];

function visit(
  shown: readonly (readonly (number | null)[])[],
  shape: Shape,
  see: (at: number) => void,
  axis = 0,
  at = 0,
): void {
  if (axis === shape.length) {
    see(at);
    return;
  }
  for (const i of shown[axis]!) if (i !== null) visit(shown, shape, see, axis + 1, at * shape[axis]! + i);
}

function block(
  shown: readonly (readonly (number | null)[])[],
  shape: Shape,
  axis: number,
  at: number,
  indent: number,
  element: (at: number) => string,
): string {
  if (axis === shape.length) return element(at);
  const parts = shown[axis]!.map((i) =>
    i === null ? "..." : block(shown, shape, axis + 1, at * shape[axis]! + i, indent + 1, element),
  );
  const inner = shape.length - axis - 1;
  const separator = inner === 0 ? ", " : `,${"\n".repeat(inner)}${" ".repeat(indent + 1)}`;
  return `[${parts.join(separator)}]`;
}

/**
 * How the numbers of one tensor are written: all alike, in exponents where NumPy does (huge, tiny, or of a range above
 * 1000) unless four decimals say as much.
 */
function formatter(values: readonly number[], dtype: DType): (x: number) => string {
  if (dtype === "bool") return (x) => (x ? "true" : "false");
  if (dtype === "int32") return String;
  const finite = values.filter(Number.isFinite);
  const sizes = finite.filter((x) => x !== 0).map(Math.abs);
  const [largest, smallest] = [Math.max(0, ...sizes), Math.min(Infinity, ...sizes)];
  const isScientific =
    largest >= 1e8 || ((smallest < 1e-4 || largest / smallest > 1000) && sizes.some(losesDigits));
  const write = (x: number, digits: number) => (isScientific ? x.toExponential(digits) : x.toFixed(digits));
  const digits = Math.max(0, ...finite.map((x) => places(write(x, 4))));
  return (x) => (Number.isFinite(x) ? write(x, digits) : x !== x ? "nan" : x > 0 ? "inf" : "-inf");
}

/** Is `x` told better by five significant digits than by four decimals? */
function losesDigits(x: number): boolean {
  return Math.abs(Number(x.toExponential(4)) - x) < Math.abs(Number(x.toFixed(4)) - x);
}

/** Decimals that a number written with four of them needs. */
function places(text: string): number {
  return /\.(\d*?)0*(e|$)/.exec(text)![1]!.length;
}
