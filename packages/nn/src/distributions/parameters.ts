import type { DType, Operand, Shape } from "@cotangent/autograd/functional";
import {
  cast,
  DTypeError,
  hideFrames,
  knownElements,
  ShapeError,
  scalar,
  Tensor,
  ValueError,
} from "@cotangent/autograd/functional";
import { shown } from "../options.ts";

hideFrames(import.meta.url);

/** What a distribution is made of: numbers and tensors, checked, of one dtype and together in shape. */

/** What a number has to be, in words and as a function. */
export type Range = readonly [must: string, holds: (x: number) => boolean];

export const finite: Range = ["a finite number", Number.isFinite];
export const positive: Range = ["a finite number above 0", (x) => x > 0 && x < Infinity];
export const share: Range = ["from 0 to 1", (x) => x >= 0 && x <= 1];

/** Throws ValueError unless all elements of `x` are in the range, as far as they are known. */
export function checkRange(name: string, x: Tensor, [must, holds]: Range): void {
  const stray = knownElements(x)?.find((element: number) => !holds(element));
  if (stray !== undefined) throw new ValueError(`${name} must be ${must}, got ${stray}`);
}

/** `x` as a tensor, numbers as one of `dtype`. Throws ValueError for what is neither, DTypeError for bool. */
export function asTensor(name: string, x: Operand, dtype: DType): Tensor {
  if (typeof x === "number") return scalar(x, { dtype });
  if (!(x instanceof Tensor))
    throw new ValueError(
      `${name} is a number or a tensor, got ${shown(x)}; make a tensor of it with tensor(...)`,
    );
  if (x.dtype === "bool") throw new DTypeError(`${name} is no bool; cast it to float32 first`);
  return x;
}

/** Parameters by their names, each with its range. */
type Given<K extends string> = { readonly [P in K]: readonly [x: Operand, range: Range] };

/** Gives a parameter as a tensor: of a variable the present version, since a distribution may outlive an update. */
export type Parameter = () => Tensor;

/**
 * Parameters as tensors of one float dtype: float64 if one of them is, else float32. Throws ValueError for what is known to lie outside its
 * range and for what is neither number nor tensor, DTypeError for bool.
 */
export function floats<K extends string>(name: string, given: Given<K>): { readonly [P in K]: Parameter } {
  const entries = Object.entries<Given<K>[K]>(given);
  const dtype = entries.some(([, [x]]) => x instanceof Tensor && x.dtype === "float64")
    ? "float64"
    : "float32";
  const made = entries.map(([what, [x, range]]) => {
    const label = `${name}: ${what}`;
    const made: Tensor = asTensor(label, x, dtype);
    // A number is looked at as it was given, not rounded.
    if (typeof x === "number" && !range[1](x)) throw new ValueError(`${label} must be ${range[0]}, got ${x}`);
    checkRange(label, made, range);
    return [what, () => cast(made, dtype)];
  });
  return Object.fromEntries(made);
}

/** The shape to which parameters broadcast. Throws ShapeError, with their names, if they do not. */
export function batchOf(name: string, given: Readonly<Record<string, Parameter>>): Shape {
  return commonShape(
    name,
    Object.entries(given).map(([what, x]) => [what, x().shape]),
  );
}

/** The shape to which several broadcast. Throws ShapeError, with all of them and what they are. */
export function commonShape(name: string, shapes: readonly (readonly [what: string, shape: Shape])[]): Shape {
  const rank = Math.max(...shapes.map(([, shape]) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map(([, shape]) => shape[i - rank + shape.length] ?? 1).filter((size) => size !== 1);
    if (sizes.some((size) => size !== sizes[0])) {
      const all = shapes.map(([what, shape]) => `${what} [${shape.join(", ")}]`).join(" and ");
      throw new ShapeError(`${name}: ${all} do not broadcast; reshape one of them`);
    }
    return sizes[0] ?? 1;
  });
}
