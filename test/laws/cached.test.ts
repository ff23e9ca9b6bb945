import {
  type DType,
  evaluate,
  fromTypedArray,
  grad,
  leavesOf,
  registry,
  Tensor,
  variable,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { Cache } from "../../packages/autograd/src/cache.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { drawFor } from "./draws.ts";

/** The law of cached programs: reading gives the bits of the interpreter, also when a program was made for other numbers. */

const isFloat = (x: Tensor) => x.dtype.startsWith("float");

/** The same tensors with other elements, those of floats a bit larger; every second one is a variable. */
function changed(args: readonly unknown[], scale: number): unknown[] {
  let count = 0;
  const change = (x: unknown): unknown => {
    if (Array.isArray(x)) return x.map(change);
    if (!(x instanceof Tensor)) return x;
    const data = x.toTypedArray();
    const other = fromTypedArray(isFloat(x) ? data.map((value) => value * scale) : data, x.shape);
    return count++ % 2 === 0 ? other : variable(other);
  };
  return args.map(change);
}

/** What `call` gives, some of it twice, and its gradients by the variables. */
function results(call: (...args: never[]) => unknown, args: readonly unknown[]): Tensor[] {
  const values = leavesOf(call(...(args as never[])));
  const inputs = args.flat().filter((x): x is Tensor => x instanceof Tensor && isFloat(x));
  const terms = values.filter(isFloat).map((y) => y.mul(y.add(0.5)).sum());
  const shared = values.filter(isFloat).map((y) => y.add(y.neg().mul(0.3)));
  if (terms.length === 0 || inputs.length === 0) return [...values, ...shared];
  const total = terms.reduce((a, b) => a.add(b));
  return [...values, ...shared, ...grad(total, inputs)];
}

/** Evaluates at once, and returns the bits. NaNs count as equal whatever their payload is. */
function bits(tensors: readonly Tensor[]): string[] {
  evaluate(...tensors);
  return tensors.map((x) =>
    Array.from(x.toTypedArray(), (v) => (Object.is(v, -0) ? "-0" : String(v))).join(),
  );
}

let runs = 0;

describe.each(["float32", "float64"] as DType[])("cached equals interpreted in %s", (dtype) => {
  for (const [name, f] of registry)
    test(name, () => {
      const draw = drawFor(name, dtype);
      for (let run = 0; run < 3; run++) {
        const args = f.samples(draw);
        const cache = new Cache({ patience: 0 });
        for (const scale of [1, 1.0625, 1.125]) {
          const now = changed(args, scale);
          const expected = withCache(null, () => bits(results(f, now)));
          expect(withCache(cache, () => bits(results(f, now)))).toEqual(expected);
        }
        runs += cache.runs;
      }
    });
});

test("most of them ran programs", () => {
  expect(runs).toBeGreaterThan(3 * registry.size);
});
