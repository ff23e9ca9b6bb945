import { compile, evaluate, type Tensor, type TypedArray } from "@cotangent/autograd";
import { expect } from "vitest";
import { withCache } from "../packages/autograd/src/evaluate.ts";
import { EverythingCompiled } from "./compiled.ts";

/**
 * The law of the compiler: a compiled function gives the bits that the interpreter gives. NaNs count as equal whatever
 * their payload is.
 */
function bits(data: TypedArray): string {
  const wide = Float64Array.from(data);
  return Array.from(wide, (x) => (Object.is(x, -0) ? "-0" : String(x))).join();
}

type Function = (...tensors: Tensor[]) => Tensor[];

function expectSame(found: readonly Tensor[], expected: readonly Tensor[]): void {
  expect(found.map((x) => x.shape)).toEqual(expected.map((x) => x.shape));
  expect(found.map((x) => x.dtype)).toEqual(expected.map((x) => x.dtype));
  expect(found.map((x) => bits(x.toTypedArray()))).toEqual(expected.map((x) => bits(x.toTypedArray())));
}

function interpreted(f: Function, inputs: readonly Tensor[]): Tensor[] {
  const expected = f(...inputs);
  withCache(null, () => evaluate(...expected));
  return expected;
}

/** Given to `compile`, `f` gives the interpreter's bits. */
export function same(f: Function, inputs: readonly Tensor[]): void {
  const expected = interpreted(f, inputs);
  expectSame(compile(f)(...inputs), expected);
}

/** Evaluated as a program, what `f` makes has the interpreter's bits, too. */
export function sameEvaluated(f: Function, inputs: readonly Tensor[]): void {
  const expected = interpreted(f, inputs);
  const found = f(...inputs);
  withCache(new EverythingCompiled(), () => evaluate(...found));
  expectSame(found, expected);
}
