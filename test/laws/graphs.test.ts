import {
  type Attributes,
  all,
  any,
  argmax,
  argsort,
  cat,
  cummax,
  cumprod,
  type DType,
  defineOp,
  dtypes,
  einsum,
  erf,
  floorDivide,
  fromTypedArray,
  linearRule,
  logcumsumexp,
  pow,
  prod,
  remainder,
  repeat,
  roll,
  scatterReduce,
  sort,
  stack,
  type Tensor,
  topology,
  triangularSolve,
  tril,
  unfold,
  where,
} from "@cotangent/autograd";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { same, sameEvaluated, samePieces } from "../bits.ts";
import { withCrew } from "../crew.ts";
import { mulberry32 } from "../mulberry.ts";

/** The law of the compiler for random graphs: all kinds of kernels, all dtypes, sizes 0, 1, odd and large. */

/** Chooses from a list of numbers that fast-check shrinks, and goes on with zeros. */
class Choices {
  readonly #list: readonly number[];
  #next = 0;

  constructor(list: readonly number[]) {
    this.#list = list;
  }
  below(count: number): number {
    return (this.#list[this.#next++] ?? 0) % count;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  axis(x: Tensor): number {
    return this.below(x.rank);
  }
}

const special = [0, -0, 1, -1, 0.5, 3, -2.5, 1e-40, 1e30, -1e30, Number.NaN, Number.POSITIVE_INFINITY];
const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

function leaf(choices: Choices, shape: readonly number[], dtype: DType): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  const random = mulberry32(choices.below(1000));
  const float = () => (random() < 0.2 ? special[Math.floor(random() * special.length)]! : random() * 6 - 3);
  const value = {
    float32: float,
    float64: float,
    int32: () => (random() < 0.1 ? 2 ** 31 - 1 : Math.floor(random() * 12 - 6)),
    bool: () => Number(random() < 0.5),
  }[dtype];
  return fromTypedArray(new arrays[dtype](Array.from({ length: size }, value)), shape);
}

/** Whole numbers below `size`, as many as `shape` has elements. */
function indices(choices: Choices, shape: readonly number[], size: number): Tensor {
  const random = mulberry32(choices.below(1000));
  const count = shape.reduce((product, n) => product * n, 1);
  return fromTypedArray(
    Int32Array.from({ length: count }, () => Math.floor(random() * size)),
    shape,
  );
}

/** An opaque op that sees its operand element by element, in order. */
const rotated: (operands: readonly Tensor[], attributes: Attributes) => Tensor = defineOp({
  name: "rotated",
  kernel: {
    kind: "opaque",
    run: ([x], out) => {
      out.data.set(x!.data.subarray(1));
      if (out.data.length > 0) out.data[out.data.length - 1] = x!.data[0]!;
    },
  },
  derivatives: [linearRule((g) => rotated([g], {}))],
  shape: ([x]) => x!.shape,
  dtype: ([x]) => x!.dtype,
});

const isFloat = (x: Tensor): boolean => x.dtype.startsWith("float");
const isNumber = (x: Tensor): boolean => x.dtype !== "bool";
const hasAxis = (x: Tensor): boolean => x.rank > 0;
const hasMatrices = (x: Tensor): boolean => x.rank >= 2 && isNumber(x);

type Make = (x: Tensor, choices: Choices, y: Tensor) => Tensor | null;

/** What takes any two numbers that fit. */
const binary: readonly Make[] = [
  (x, _, y) => x.add(y),
  (x, _, y) => x.mul(y),
  (x, _, y) => x.sub(y),
  (x, _, y) => x.maximum(y),
  (x, _, y) => x.eq(y),
  (x, _, y) => where(x.lt(y), x, y),
  (x, _, y) => remainder(x, y),
  (x, _, y) => floorDivide(x, y),
  (x, _, y) => (isFloat(x) && isFloat(y) ? pow(x, y) : null),
];

/** Steps that make one more tensor from one or two of those before; null where it does not fit. */
const steps: Readonly<Record<string, Make>> = {
  unary: (x, choices) => (x.dtype === "bool" ? x.logicalNot() : choices.of([x.neg(), x.abs(), x.sign()])),
  float: (x, choices) =>
    isFloat(x)
      ? choices.of([() => x.sqrt(), () => x.sigmoid(), () => x.exp(), () => x.sin(), () => erf(x)])()
      : null,
  cast: (x, choices) => x.cast(choices.of(dtypes)),
  binary: (x, choices, y) =>
    isNumber(x) && isNumber(y) && (x.shape.join() === y.shape.join() || y.rank === 0)
      ? choices.of(binary)(x, choices, y)
      : null,
  number: (x, choices) => (isNumber(x) ? x.mul(choices.of([1, 0, -1, 2, 3.7])) : null),
  flat: (x) => x.reshape([x.size]),
  halves: (x) => (x.size > 0 && x.size % 2 === 0 ? x.reshape([2, -1]) : null),
  broadcast: (x, choices) =>
    x.rank < 3 ? x.unsqueeze(0).broadcastTo([choices.of([3, 1, 0]), ...x.shape]) : null,
  permute: (x) => x.permute(x.shape.map((_, i) => x.rank - 1 - i)),
  flip: (x, choices) => (hasAxis(x) ? x.flip(choices.axis(x)) : null),
  slice: (x, choices) =>
    hasAxis(x)
      ? x.slice(choices.below(3), null, { axis: choices.axis(x), step: choices.of([1, 2, -1]) })
      : null,
  pad: (x, choices) =>
    hasAxis(x) ? x.pad(x.shape.map(() => [choices.below(3), choices.below(3)] as const)) : null,
  unfold: (x, choices) => {
    if (!hasAxis(x)) return null;
    const axis = choices.axis(x);
    return x.shape[axis]! >= 2 ? unfold(x, axis, 2, choices.of([1, 2])) : null;
  },
  layout: (x, choices) =>
    hasAxis(x)
      ? choices.of([
          () => roll(x, 1, choices.axis(x)),
          () =>
            repeat(
              x,
              x.shape.map(() => 2),
            ),
        ])()
      : null,
  tril: (x) => (x.rank >= 2 ? tril(x) : null),
  sum: (x, choices) => (hasAxis(x) ? x.sum(choices.axis(x)) : x.sum()),
  sumOfMore: (x) => (x.rank > 2 ? x.sum([0, 2]) : x.sum()),
  prod: (x, choices) => (hasAxis(x) && isNumber(x) ? prod(x, choices.axis(x)) : null),
  truth: (x, choices) => (hasAxis(x) ? choices.of([any, all])(x, choices.axis(x)) : null),
  extreme: (x, choices) =>
    hasAxis(x) && isNumber(x) && x.size > 0
      ? choices.of([() => x.amax(choices.axis(x)), () => x.amin(), () => argmax(x, choices.axis(x))])()
      : null,
  scan: (x, choices) => (hasAxis(x) ? x.cumsum(choices.axis(x)) : null),
  otherScan: (x, choices) => {
    if (!hasAxis(x) || !isNumber(x)) return null;
    return choices.of([cumprod, cummax, isFloat(x) ? logcumsumexp : cumprod])(x, choices.axis(x));
  },
  cat: (x, choices, y) => {
    if (!hasAxis(x) || x.rank !== y.rank || x.dtype !== y.dtype) return null;
    const axis = choices.axis(x);
    return x.shape.every((size, i) => i === axis || size === y.shape[i]) ? cat([x, y, x], axis) : null;
  },
  stack: (x, choices) => stack([x, x], choices.below(x.rank + 1)),
  square: (x) => (hasMatrices(x) ? x.matmul(x.transpose(-1, -2)) : null),
  inner: (x) => (hasMatrices(x) ? x.transpose(-1, -2).matmul(x) : null),
  product: (x, _, y) =>
    x.rank === 2 && y.rank === 2 && isNumber(x) && isNumber(y) && x.shape[1] === y.shape[0]
      ? x.matmul(y)
      : null,
  outer: (x, _, y) =>
    x.rank === 1 && y.rank === 1 && x.dtype === y.dtype && isFloat(x) ? einsum("i,j->ji", x, y) : null,
  vector: (x) => (x.rank === 2 && isFloat(x) ? einsum("ij,ij->i", x, x.exp()) : null),
  gather: (x, choices) => {
    if (!hasAxis(x)) return null;
    const axis = choices.axis(x);
    if (x.shape[axis] === 0) return null;
    const shape = x.shape.with(axis, choices.of([2, 0, 5]));
    return x.gather(axis, indices(choices, shape, x.shape[axis]!));
  },
  computedGather: (x, choices) => {
    if (!hasAxis(x) || x.size === 0) return null;
    const axis = choices.axis(x);
    return x.gather(axis, argsort(x, axis));
  },
  scatter: (x, choices) => {
    if (!hasAxis(x) || !isNumber(x)) return null;
    const axis = choices.axis(x);
    const count = choices.of([1, 4]);
    const y = x.sum(axis, { keepDims: true }).broadcastTo(x.shape.with(axis, count));
    return x.shape[axis] === 0 ? null : x.scatterAdd(axis, indices(choices, y.shape, x.shape[axis]!), y);
  },
  scatterReduce: (x, choices) => {
    if (!hasAxis(x) || !isNumber(x)) return null;
    const axis = choices.axis(x);
    if (x.shape[axis] === 0) return null;
    const index = indices(choices, x.shape, x.shape[axis]!);
    return scatterReduce(x, axis, index, x.flip(axis), choices.of(["amax", "amin", "prod", "mean"] as const));
  },
  sort: (x, choices) =>
    hasAxis(x)
      ? choices.of([() => argsort(x, choices.axis(x)), () => sort(x, choices.axis(x)).values])()
      : null,
  opaque: (x) => rotated([x], {}),
  solve: (x) =>
    x.rank === 2 && isFloat(x) && x.shape[0]! <= 20
      ? triangularSolve(x.matmul(x.transpose(-1, -2)).add(1), x)
      : null,
};
const names = Object.keys(steps);

const sizes = [1, 2, 3, 0, 4, 5, 7, 13];
const most = 40_000;

/** A shape that large products, vectors and sums of several chunks come of, or a small one. */
function shapeOf(choices: Choices): number[] {
  const rank = choices.below(4);
  const shape = Array.from({ length: rank }, () => choices.of(sizes));
  const large = choices.below(8);
  if (large === 1) return [...shape.slice(2).map(() => 2), 33, 40];
  if (large === 2 && rank > 0) return [...shape.slice(1).map(() => 2), 5003];
  if (large === 3 && rank > 0) return [1031, ...shape.slice(1).map(() => 3)];
  return shape;
}

interface RandomGraph {
  readonly inputs: readonly Tensor[];
  f(...inputs: Tensor[]): Tensor[];
}

const numbers = (count: number) => fc.array(fc.nat({ max: 1e6 }), { minLength: count, maxLength: count });

const graphs: fc.Arbitrary<RandomGraph> = fc
  .record({
    leaves: fc.array(numbers(8), { minLength: 1, maxLength: 3 }),
    plan: fc.array(numbers(9), { minLength: 2, maxLength: 14 }),
  })
  .map(({ leaves, plan }) => {
    const inputs = leaves.map((list) => {
      const choices = new Choices(list);
      const dtype = choices.of(["float32", "float64", "float32", "int32", "bool"] as const);
      return leaf(choices, shapeOf(choices), dtype);
    });
    const f = (...given: Tensor[]): Tensor[] => {
      const made = [...given];
      for (const list of plan) {
        const choices = new Choices(list);
        // The last ones more often, so that graphs become deep.
        const pick = () => made[Math.max(0, made.length - 1 - choices.of([0, 0, 0, 1, 2, 3, 4]))]!;
        const [x, y] = [pick(), pick()];
        const out = steps[choices.of(names)]!(x, choices, y);
        if (out && out.size <= most) made.push(out);
      }
      return made.slice(-4);
    };
    return { inputs, f };
  });

const kinds = new Set<string>();
const seen = { dtypes: new Set<string>(), empty: 0, large: 0, nodes: 0 };

function count(roots: readonly Tensor[]): void {
  for (const { op, dtype, size } of topology(roots).nodes) {
    kinds.add(op.kernel.kind);
    seen.dtypes.add(dtype);
    if (size === 0) seen.empty++;
    if (size > 1000) seen.large++;
    seen.nodes++;
  }
}

describe("random graphs give the interpreter's bits", () => {
  const runs = Number(process.env.RUNS ?? 250);

  test("given to compile", () => {
    fc.assert(
      fc.property(graphs, ({ inputs, f }) => {
        count(f(...inputs));
        same(f, inputs);
      }),
      { numRuns: runs },
    );
  }, 120_000);

  test("divided among threads", () => {
    withCrew(3, (crew) => {
      fc.assert(
        fc.property(graphs, ({ inputs, f }) => same(f, inputs)),
        { numRuns: runs },
      );
      expect(crew.runs).toBeGreaterThan(runs / 2);
    });
  }, 120_000);

  test("interpreted with a module for each op", () => {
    fc.assert(
      fc.property(graphs, ({ inputs, f }) => samePieces(f, inputs)),
      { numRuns: runs },
    );
  }, 120_000);

  test("evaluated as programs", () => {
    fc.assert(
      fc.property(graphs, ({ inputs, f }) => sameEvaluated(f, inputs)),
      { numRuns: runs },
    );
  }, 120_000);

  afterAll(() => {
    expect([...kinds].sort()).toEqual(
      [
        "leaf",
        "pointwise",
        "view",
        "concatenate",
        "gather",
        "scatter",
        "reduce",
        "scan",
        "contract",
        "opaque",
      ].sort(),
    );
    expect([...seen.dtypes].sort()).toEqual([...dtypes].sort());
    expect(Math.min(seen.empty, seen.large)).toBeGreaterThan(runs / 10);
    expect(seen.nodes).toBeGreaterThan(10 * runs);
  });
});
