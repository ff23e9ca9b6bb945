import {
  add,
  checkpoint,
  type DType,
  div,
  dropout,
  evaluate,
  Generator,
  grad,
  leavesOf,
  matmul,
  mul,
  registry,
  relu,
  softmax,
  sub,
  Tensor,
  tanh,
  tensor,
  topology,
  transpose,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { Cache } from "../../packages/autograd/src/cache.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { mulberry32 } from "../mulberry.ts";
import { drawFor } from "./draws.ts";

/** The law of checkpoints: values and gradients have the bits that they have without, interpreted and compiled. */

const isFloat = (x: Tensor) => x.dtype.startsWith("float");

/** Evaluates at once, and returns the bits. NaNs count as equal whatever their payload is. */
function bits(tensors: readonly Tensor[]): string[] {
  evaluate(...tensors);
  return tensors.map((x) =>
    Array.from(x.toTypedArray(), (v) => (Object.is(v, -0) ? "-0" : String(v))).join(),
  );
}

/** What `call` gives for moved arguments, and its gradients by them, with cotangents that depend on the results. */
function results(call: (...args: never[]) => unknown, args: readonly unknown[]): Tensor[] {
  const move = (x: unknown): unknown =>
    Array.isArray(x) ? x.map(move) : x instanceof Tensor && isFloat(x) ? mul(x, 1.0625) : x;
  const values = leavesOf(call(...(args.map(move) as never[])));
  const inputs = args.flat().filter((x): x is Tensor => x instanceof Tensor && isFloat(x));
  const terms = values.filter(isFloat).map((y) => y.mul(y.add(0.5)).sum());
  if (terms.length === 0 || inputs.length === 0) return values;
  return [...values, ...grad(terms.reduce(add), inputs)];
}

describe.each(["float32", "float64"] as DType[])("changes no bit in %s", (dtype) => {
  for (const [name, f] of registry)
    test(name, () => {
      const draw = drawFor(name, dtype);
      for (let run = 0; run < 3; run++) {
        const args = f.samples(draw);
        const twice = checkpoint((...all: never[]) =>
          checkpoint(f as never as (...a: never[]) => Tensor)(...all),
        );
        const expected = withCache(null, () => bits(results(f, args)));
        expect(withCache(null, () => bits(results(twice, args)))).toEqual(expected);
        const cache = new Cache({ patience: 0 });
        for (let i = 0; i < 2; i++)
          expect(withCache(cache, () => bits(results(twice, args)))).toEqual(expected);
      }
    });
});

const steps: readonly ((a: Tensor, b: Tensor, generator: Generator) => Tensor)[] = [
  add,
  sub,
  (a, b) => div(mul(a, b), 3),
  (a, b) => div(matmul(a, b), 2),
  (a) => tanh(a),
  (a) => relu(a),
  (a) => transpose(a),
  (a) => softmax(a, 0),
  (a, b) => add(a, b.sum(0)),
  (a, _, generator) => dropout(a, { p: 0.3, generator }),
  (a) => a.sort(1).values,
];

/** A random program whose steps stand in random parts, one inside the other. */
function program(seed: number, wrap: typeof checkpoint, x: readonly Tensor[]): Tensor[] {
  const random = mulberry32(seed);
  const below = (n: number) => Math.floor(n * random());
  const generator = new Generator(seed);
  /** `count` steps more; what they read may be anything that there was before. */
  const go = (known: readonly Tensor[], count: number): Tensor[] => {
    let values = [...known];
    for (let left = count; left > 0; ) {
      const size = 1 + below(left);
      if (size < count && below(3) > 0) {
        const part = wrap((...own: Tensor[]) =>
          go([...values, ...own], size).slice(values.length + own.length),
        );
        values = [...values, ...part(...values.slice(-2))];
      } else {
        const of = () => values[values.length - 1 - below(Math.min(4, values.length))]!;
        for (let i = 0; i < size; i++) values.push(steps[below(steps.length)]!(of(), of(), generator));
      }
      left -= size;
    }
    return values;
  };
  const made = go(x, 12).slice(x.length);
  const loss = made.map((y) => y.mean()).reduce(add);
  return [loss, ...grad(loss, x)];
}

test("changes no bit of random programs with parts inside parts", () => {
  const x = [0, 1, 2].map((i) => {
    const random = mulberry32(i);
    return tensor(Array.from({ length: 3 }, () => Array.from({ length: 3 }, () => 2 * random() - 1)));
  });
  let waiting = 0;
  for (let seed = 0; seed < 60; seed++) {
    const expected = withCache(null, () => bits(program(seed, (f) => f, x)));
    const found = program(seed, checkpoint, x);
    if (topology(found).nodes.some((node) => node.op.name === "after")) waiting++;
    expect(
      withCache(null, () => bits(found)),
      `seed ${seed}`,
    ).toEqual(expected);
    const cache = new Cache({ patience: 0 });
    for (let i = 0; i < 2; i++)
      expect(
        withCache(cache, () => bits(program(seed, checkpoint, x))),
        `seed ${seed}`,
      ).toEqual(expected);
    expect(cache.runs, `seed ${seed}`).toBeGreaterThan(0);
  }
  expect(waiting).toBeGreaterThan(50);
});
