import type { Registered } from "@cotangent/autograd";
import {
  CotangentError,
  cat,
  checkGradient,
  Draw,
  type DType,
  evaluate,
  fromTypedArray,
  grad,
  hvp,
  leavesOf,
  pushforward,
  rebuild,
  registry,
  Tensor,
  topology,
} from "@cotangent/autograd";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../mulberry.ts";

/**
 * The laws of differentiation over the registry: an op's samples feed them all, and fast-check varies and shrinks what the
 * samples choose: shapes, broadcasting, axes and values.
 */
// Compiling takes a hundred times as long as interpreting once does, and laws/compiled.test.ts compares the two.
const runs = process.env.COMPILED === "1" ? 4 : 100;

/**
 * Samples choose from fast-check: the whole numbers (shapes, axes) from a list that it shrinks, the elements from a seed.
 */
const draws = (dtype: DType) =>
  fc
    .tuple(fc.array(fc.nat({ max: 2 ** 16 }), { minLength: 24, maxLength: 24 }), fc.nat())
    .map(([choices, seed]) => {
      const random = mulberry32(seed);
      let next = 0;
      const integer = (low: number, high: number) => {
        const choice = choices[next++] ?? Math.floor(random() * 2 ** 16);
        return low + (choice % (high - low + 1));
      };
      return new Draw({ integer, real: (low, high) => low + (high - low) * random() }, dtype);
    });

interface Call {
  readonly f: Registered;
  readonly args: readonly unknown[];
  /** The float tensors among the arguments. */
  readonly inputs: readonly Tensor[];
  /** All results of the call with others in their place. */
  results(inputs: readonly Tensor[]): readonly Tensor[];
  /** One tensor: the only result, or all float results (if there are any) end to end. */
  apply(inputs: readonly Tensor[]): Tensor;
}

function callOf(f: Registered, args: readonly unknown[]): Call {
  const inputs: Tensor[] = [];
  const collect = (x: unknown): void => {
    if (Array.isArray(x)) x.forEach(collect);
    else if (x instanceof Tensor && x.dtype.startsWith("float")) inputs.push(x);
  };
  collect(args);
  const results = (others: readonly Tensor[]) => {
    const at = new Map(inputs.map((x, i) => [x, others[i]!]));
    const put = (x: unknown): unknown =>
      Array.isArray(x) ? x.map(put) : x instanceof Tensor ? (at.get(x) ?? x) : x;
    return leavesOf(f(...args.map(put)));
  };
  const apply = (others: readonly Tensor[]) => {
    const all = results(others);
    if (all.length === 1) return all[0]!;
    const floats = all.filter(isDifferentiable);
    return floats.length === 0 ? all[0]! : cat(floats.map((y) => y.reshape([-1])));
  };
  return { f, args, inputs, results, apply };
}

const isDifferentiable = (y: Tensor) => y.dtype.startsWith("float");

/** Its derivative is 0 by definition, whatever the differences say. */
const defiant = ["stopGradient"];

let checked = 0;

/** Runs a law on every function of the registry with `runs` samples each. */
function law(sentence: string, dtype: DType, holds: (call: Call, draw: Draw, name: string) => void): void {
  describe(sentence, () => {
    for (const [name, f] of registry)
      test(name, () => {
        fc.assert(
          fc.property(draws(dtype), (draw) => {
            holds(callOf(f, f.samples(draw)), draw, name);
            checked++;
          }),
          { numRuns: runs },
        );
      });
  });
}

law("the inferred shape and dtype are those of the elements", "float32", ({ inputs, results }) => {
  for (const y of results(inputs)) {
    const data = y.toTypedArray();
    expect(data.length).toBe(y.shape.reduce((product, size) => product * size, 1));
    const kind = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array }[
      y.dtype
    ];
    expect(data).toBeInstanceOf(kind);
    expect(data.some(Number.isNaN)).toBe(false);
  }
});

law("reverse mode is the adjoint of forward mode", "float64", ({ inputs, apply }, draw) => {
  const y = apply(inputs);
  if (!isDifferentiable(y) || inputs.length === 0) return;
  const g = draw.tensor(y.shape).cast(y.dtype);
  const t = inputs.map((x) => draw.tensor(x.shape));
  const pulled = grad(y, inputs, { cotangent: g });
  const left = pushforward(y, inputs, t).mul(g).sum().cast("float64").item();
  const right = pulled.reduce((sum, dx, i) => sum + dx.mul(t[i]!).sum().item(), 0);
  const scale = Math.max(1, Math.abs(left), Math.abs(right));
  expect(Math.abs(left - right) / scale).toBeLessThan(y.dtype === "float32" ? 1e-5 : 1e-11);
});

law("both modes equal finite differences", "float64", ({ inputs, apply }, draw, name) => {
  if (defiant.includes(name)) {
    expect(
      grad(apply(inputs).sum(), inputs)[0]!
        .toTypedArray()
        .every((x) => x === 0),
    ).toBe(true);
    return;
  }
  if (inputs.length === 0 || !isDifferentiable(apply(inputs))) return;
  const report = checkGradient((...others) => apply(others), inputs, {
    directions: 2,
    seed: draw.integer(0, 1e6),
  });
  if (!report.pass) throw new Error(String(report));
});

law("second derivatives equal finite differences of the first", "float64", ({ inputs, apply }, draw) => {
  if (inputs.length === 0 || !isDifferentiable(apply(inputs))) return;
  const report = checkGradient((...others) => apply(others), inputs, {
    order: 2,
    directions: 1,
    seed: draw.integer(0, 1e6),
  });
  if (!report.pass) throw new Error(String(report));
});

law("the Hessian is symmetric", "float64", ({ inputs, apply }, draw) => {
  const y = apply(inputs);
  if (inputs.length === 0 || !isDifferentiable(y)) return;
  const weights = draw.tensor(y.shape);
  const f = (others: Tensor[]) => apply(others).cast("float64").mul(weights).sum();
  const [s, t] = [0, 1].map(() => inputs.map((x) => draw.tensor(x.shape)));
  const along = (from: Tensor[], to: Tensor[]) =>
    hvp(f)([...inputs], from).reduce((sum, column, i) => sum + column.mul(to[i]!).sum().item(), 0);
  const [left, right] = [along(s!, t!), along(t!, s!)];
  expect(Math.abs(left - right)).toBeLessThan(1e-9 * Math.max(1, Math.abs(left), Math.abs(right)));
});

law("float32 agrees with float64 to its precision", "float32", ({ inputs, apply }) => {
  const y = apply(inputs);
  if (!isDifferentiable(y)) return;
  const [exact] = rebuild([y], new Map(), { float32: "float64" });
  evaluate(y, exact!);
  const [single, double] = [y.toTypedArray(), exact!.toTypedArray()];
  const largest = Math.max(1, ...Array.from(double, Math.abs));
  for (let i = 0; i < single.length; i++)
    expect(Math.abs(single[i]! - double[i]!) / largest).toBeLessThan(2e-6);
});

law("rebuilding a graph on the same leaves gives the same bits", "float32", ({ inputs, apply }) => {
  const y = apply(inputs);
  const copies = inputs.map((x) => fromTypedArray(x.toTypedArray(), x.shape));
  const [again] = rebuild([y], new Map(inputs.map((x, i) => [x, copies[i]!])));
  expect(again!.toTypedArray()).toEqual(y.toTypedArray());
  expect(topology([again!]).nodes.some((node) => inputs.includes(node))).toBe(false);
});

/** Something of the same kind that may not fit: another shape, dtype, axis or index. */
function spoiled(x: unknown, draw: Draw): unknown {
  if (x instanceof Tensor) {
    const shape = draw.integer(0, 1) === 0 ? x.shape : draw.shape(0, 4, 0);
    const dtype = (["bool", "int32", "float32", "float64"] as const)[draw.integer(0, 3)]!;
    if (dtype === "int32") return draw.indices(shape, 9).sub(4);
    return dtype === "bool" ? draw.bools(shape) : draw.tensor(shape).cast(dtype);
  }
  if (typeof x === "number") return [x + 1, -x - 1, 7, -7, 0.5, Number.NaN][draw.integer(0, 5)];
  if (Array.isArray(x)) {
    if (x.length === 0) return [0];
    const at = draw.integer(0, x.length);
    if (at === x.length) return draw.integer(0, 1) === 0 ? x.slice(1) : [...x, x[0]];
    return x.with(at, spoiled(x[at], draw));
  }
  return x;
}

law("a wrong argument is refused by a typed error that names the function", "float32", (call, draw, name) => {
  const { f, args } = call;
  const at = draw.integer(0, args.length - 1);
  try {
    for (const y of leavesOf(f(...args.with(at, spoiled(args[at], draw))))) y.toTypedArray();
  } catch (error) {
    if (!(error instanceof CotangentError)) throw error;
    expect(error.message.startsWith(`${name}: `), error.message).toBe(true);
  }
});

test(`the laws were checked at least ${runs} times each`, () => {
  const laws = 8;
  expect(checked).toBeGreaterThanOrEqual(laws * registry.size * runs);
  process.stdout.write(`laws: ${laws} laws over ${registry.size} functions, ${checked} runs\n`);
});
