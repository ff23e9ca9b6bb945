import { ShapeError, ValueError } from "./errors.ts";

/** The sizes of a tensor along its axes, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

/** Elements are addressed by 32-bit offsets. */
const maxSize = 2 ** 31 - 1;

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i]!;
  return size;
}

/** The index of an element: `[1, 0]` for element 2 of shape [3, 2]. */
export function indexOf(element: number, shape: Shape): number[] {
  const index: number[] = [];
  let rest = element;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** The distance in elements between neighbours along each axis, for elements stored row by row. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

export function equalShapes(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `"[4, 2]"` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Throws ValueError unless `value` is a whole number of at least `least`. */
export function checkWhole(name: string, what: string, value: unknown, least: number = -Infinity): void {
  if (Number.isInteger(value) && (value as number) >= least) return;
  const bound = least === -Infinity ? "" : ` of at least ${least}`;
  throw new ValueError(`${name}: ${what} is a whole number${bound}, got ${String(value)}`);
}

const isList = (x: unknown): x is readonly unknown[] => Array.isArray(x);

/** What stands for numbers that `compile` traces a function for, and which arguments they are. */
export const numbers: WeakMap<object, string> = new WeakMap();

/** Only what kind of thing was given: to print a tensor would compute it. */
export const shown = (x: unknown): string => {
  if (typeof x === "string") return JSON.stringify(x);
  if (typeof x === "object" && x !== null && "dtype" in x) return `a tensor${insideAs(x)}`;
  return Object(x) === x ? "an object" : String(x);
};

/** For messages about a tensor: that it stands for a number, if so. */
export const insideAs = (x: object): string => {
  const path = numbers.get(x);
  return path === undefined ? "" : `, as ${path} of the compiled function is inside`;
};

/** Throws ValueError unless `x` is an array: sizes, axes or tensors that come one by one, as in PyTorch, would be lost. */
export function checkList(name: string, x: unknown, example = "[4, 2]"): void {
  if (!isList(x)) throw new ValueError(`${name}: takes an array such as ${example}, got ${shown(x)}`);
}

/** One number or several as a list. Throws ValueError for what is neither. */
export function listOf(name: string, x: number | readonly number[]): readonly number[] {
  if (typeof x === "number") return [x];
  checkList(name, x, "[1, 0]");
  return x;
}

/** Throws ValueError unless every size is a whole number of at least 0, ShapeError if there are too many elements. */
export function checkShape(name: string, shape: Shape): void {
  checkList(name, shape);
  for (const size of shape)
    if (!Number.isInteger(size) || size < 0)
      throw new ValueError(`${name}: sizes are whole numbers of at least 0, got ${formatShape(shape)}`);
  if (sizeOf(shape) > maxSize)
    throw new ShapeError(`${name}: shape ${formatShape(shape)} has more than ${maxSize} elements`);
}

/** `shape` as a list that no one else can change: callers fill theirs anew. Throws as `checkShape` does. */
export function ownShape(name: string, shape: Shape): Shape {
  checkShape(name, shape);
  return shape.slice();
}

/** `axis` counted from the front. Throws ShapeError if the shape has no such axis, ValueError for what is no number. */
export function normalizeAxis(name: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  if (typeof axis !== "number") throw new ValueError(`${name}: axis is a whole number, got ${shown(axis)}`);
  const range = rank === 0 ? "which has no axes" : `whose axes are ${-rank} ... ${rank - 1}`;
  throw new ShapeError(`${name}: axis ${axis} of shape ${formatShape(shape)}, ${range}`);
}

/** One axis, several or (undefined) all of them, counted from the front and in order. */
export function normalizeAxes(
  name: string,
  axis: number | readonly number[] | undefined,
  shape: Shape,
): number[] {
  if (axis === undefined) return shape.map((_, i) => i);
  if (!isList(axis)) return [normalizeAxis(name, axis, shape)];
  const axes = axis.map((a) => normalizeAxis(name, a, shape)).sort((a, b) => a - b);
  for (let i = 1; i < axes.length; i++)
    if (axes[i] === axes[i - 1])
      throw new ShapeError(`${name}: axis ${axes[i]} of shape ${formatShape(shape)} is named twice`);
  return axes;
}

/** `shape` without `axes`, or with size 1 there. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims = false): Shape {
  return keepDims
    ? shape.map((size, i) => (axes.includes(i) ? 1 : size))
    : shape.filter((_, i) => !axes.includes(i));
}

/** The shape of two operands after broadcasting (aligned at the end; size 1 stretches). Throws ShapeError. */
export function broadcastShapes(name: string, a: Shape, b: Shape): Shape {
  if (equalShapes(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i]! : 1;
    const y = i <= b.length ? b[b.length - i]! : 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${name}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: sizes ${x} and ${y} on axis ${-i} ` +
          "differ and neither is 1; reshape one of them",
      );
    out[rank - i] = x === 1 ? y : x;
  }
  return equalShapes(out, a) ? a : equalShapes(out, b) ? b : out;
}

/** Can `from` be broadcast to exactly `to`? */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  if (from.length > to.length) return false;
  return from.every((size, i) => size === 1 || size === to[i + to.length - from.length]);
}

/** Walks all indices of `shape` row by row, with the offset that `strides` give each. */
export function walk(
  shape: Shape,
  strides: readonly number[],
  visit: (offset: number, i: number) => void,
): void {
  let offset = 0;
  const size = sizeOf(shape);
  const index = new Int32Array(shape.length);
  for (let i = 0; i < size; i++) {
    visit(offset, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** The offsets that `strides` give to all indices of `shape`, row by row. */
export function offsetsOf(shape: Shape, strides: readonly number[]): Int32Array {
  const out = new Int32Array(sizeOf(shape));
  walk(shape, strides, (offset, i) => {
    out[i] = offset;
  });
  return out;
}
