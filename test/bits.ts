import { compile, evaluate, type Tensor, type TypedArray } from "@cotangent/autograd";
import { expect } from "vitest";
import { withPieces } from "../packages/autograd/src/compile/piecewise.ts";
import { withCache } from "../packages/autograd/src/evaluate.ts";
import { interpret, type Workplace } from "../packages/autograd/src/interpret.ts";
import { numberIn, topology } from "../packages/autograd/src/topology.ts";
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

/** Interpreted with a module for each op, what `f` makes has the interpreter's bits, too. */
export function samePieces(f: Function, inputs: readonly Tensor[]): void {
  const expected = interpreted(f, inputs);
  const roots = f(...inputs).map((x) => x.node);
  const order = topology(roots);
  const numbers = roots.map((root) => numberIn(order, root));
  const run = (place: Workplace | null) => {
    if (!place && order.nodes.some(({ size }) => size >= 20)) throw new Error("there is no workspace");
    return interpret(order, numbers, place);
  };
  for (const fewest of [1, 20]) {
    const found = withPieces(order.nodes, run, { patience: 0, fewest });
    expect(found.map(bits)).toEqual(expected.map((x) => bits(x.toTypedArray())));
  }
}

/** Evaluated as a program, what `f` makes has the interpreter's bits, too. */
export function sameEvaluated(f: Function, inputs: readonly Tensor[]): void {
  const expected = interpreted(f, inputs);
  const found = f(...inputs);
  withCache(new EverythingCompiled(), () => evaluate(...found));
  expectSame(found, expected);
}
