import fc from "fast-check";
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { elementsOf } from "../graph.ts";
import { softmax } from "../ops/composed.ts";
import { matmul } from "../ops/contraction.ts";
import { atan } from "../ops/elementary.ts";
import { fromTypedArray } from "../ops/leaf.ts";
import { transpose } from "../ops/movement.ts";
import {
  abs,
  add,
  cos,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sigmoid,
  sin,
  sub,
  tanh,
} from "../ops/pointwise.ts";
import { cumsum } from "../ops/reduction.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { sizeOf } from "../shape.ts";
import type { Choice, Step } from "./programs.ts";
import { RandomProgram } from "./programs.ts";

/** Arbitraries for fast-check. They shrink towards small shapes and round numbers. */

export interface ShapeOptions {
  readonly minRank?: number | undefined;
  readonly maxRank?: number | undefined;
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
}

/**
 * Shapes of 0 to 3 axes of sizes 1 to 4, unless given.
 *
 * @example
 * ```ts
 * import { zeros } from "@cotangent/autograd";
 * import { shapes } from "@cotangent/autograd/testing/fast-check";
 * import fc from "fast-check";
 * fc.assert(fc.property(shapes({ minRank: 1 }), (shape) => zeros(shape).flatten().rank === 1));
 * ```
 */
export function shapes(options?: ShapeOptions): fc.Arbitrary<number[]> {
  const known = { minRank: true, maxRank: true, minSize: true, maxSize: true } as const;
  const { minRank = 0, maxRank = 3, minSize = 1, maxSize = 4 } = optionsOf("shapes", options, known);
  return fc.array(fc.integer({ min: minSize, max: maxSize }), { minLength: minRank, maxLength: maxRank });
}

/** `count` shapes that broadcast together: axes left out in front, or of size 1. */
export function broadcastableShapes(count: number, options?: ShapeOptions): fc.Arbitrary<number[][]> {
  return shapes(options).chain((full) => {
    const one = fc
      .tuple(
        fc.integer({ min: 0, max: full.length }),
        fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
      )
      .map(([drop, flat]) => full.map((size, i) => (flat[i] ? 1 : size)).slice(drop));
    return fc.array(one, { minLength: count, maxLength: count });
  });
}

export interface ElementOptions {
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Places to keep away from by `distance`: kinks, poles. */
  readonly away?: readonly number[] | undefined;
  /** 0.05 unless given. */
  readonly distance?: number | undefined;
}

const ranged: Known<ElementOptions> = { low: true, high: true, away: true, distance: true };

/** Numbers from `low` to `high` (-2 and 2 unless given), away from kinks; round ones first. */
export function elements(options?: ElementOptions): fc.Arbitrary<number> {
  const { low = -2, high = 2, away = [], distance = 0.05 } = optionsOf("elements", options, ranged);
  const steps = 2 ** 10;
  return fc
    .integer({ min: 0, max: steps })
    .map((i) => low + ((high - low) * i) / steps)
    .filter((x) => away.every((kink) => Math.abs(x - kink) >= distance));
}

/** Numbers of either sign and all orders of magnitude from `10^low` to `10^high` (-6 and 6 unless given). */
export function magnitudes(options?: { low?: number; high?: number }): fc.Arbitrary<number> {
  const { low = -6, high = 6 } = optionsOf("magnitudes", options, { low: true, high: true });
  return fc
    .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: 1, max: 9 }), fc.boolean())
    .map(([exponent, digit, negative]) => Number(`${negative ? -digit : digit}e${exponent}`));
}

/** Zeros of both signs, infinities, NaN, and the smallest and largest numbers of a float dtype. */
export function specialValues(dtype: "float32" | "float64" = "float32"): fc.Arbitrary<number> {
  const [least, tiny, most] =
    dtype === "float32"
      ? [2 ** -149, 2 ** -126, 2 ** 128 - 2 ** 104]
      : [Number.MIN_VALUE, 2 ** -1022, Number.MAX_VALUE];
  const infinity = Infinity;
  return fc.constantFrom(0, -0, 1, -1, least, -least, tiny, most, -most, infinity, -infinity, Number.NaN);
}

export interface TensorOptions extends ElementOptions {
  /** Of any shape that `shapes()` makes, unless given. */
  readonly shape?: Shape | undefined;
  /** float32 unless given. */
  readonly dtype?: DType | undefined;
  /** What the elements are; `elements(options)` unless given. */
  readonly elements?: fc.Arbitrary<number> | undefined;
}

/**
 * Tensors; of ints and bools the elements are truncated.
 *
 * @example
 * ```ts
 * import { checkGradient, log } from "@cotangent/autograd";
 * import { tensors } from "@cotangent/autograd/testing/fast-check";
 * import fc from "fast-check";
 * const positive = tensors({ shape: [3], low: 0.5, high: 4 });
 * fc.assert(fc.property(positive, (x) => checkGradient(log, [x]).pass), { numRuns: 10 });
 * ```
 */
export function tensors(options?: TensorOptions): fc.Arbitrary<Tensor> {
  const known = { ...ranged, shape: true, dtype: true, elements: true } as const;
  const { shape, dtype = "float32", elements: given, ...range } = optionsOf("tensors", options, known);
  const element = given ?? elements(range);
  const of = (known: Shape) => {
    const size = sizeOf(known);
    return fc
      .array(element, { minLength: size, maxLength: size })
      .map((data) => fromTypedArray(typed(data, dtype), known));
  };
  return shape ? of(shape) : shapes().chain(of);
}

function typed(data: readonly number[], dtype: DType): Float32Array | Float64Array | Int32Array | Uint8Array {
  switch (dtype) {
    case "float32":
      return Float32Array.from(data);
    case "float64":
      return Float64Array.from(data);
    case "int32":
      return Int32Array.from(data);
    case "bool":
      return Uint8Array.from(data, (x) => (Math.trunc(x) === 0 ? 0 : 1));
    default:
      return dtype satisfies never;
  }
}

/** Square matrices [..., n, n] far from singular ones: the diagonal outweighs the rest of its row. */
export function wellConditionedMatrices(
  shape: Shape,
  dtype: "float32" | "float64" = "float32",
): fc.Arbitrary<Tensor> {
  const n = shape[shape.length - 1] ?? 0;
  if (shape.length < 2 || shape[shape.length - 2] !== n)
    throw new ValueError(
      `wellConditionedMatrices: shape [${shape}] is not that of square matrices [..., n, n]`,
    );
  return tensors({ shape, dtype: "float64", low: -1, high: 1 }).map((x) => {
    const data = Float64Array.from(elementsOf(x)!);
    for (let start = 0; start < data.length; start += n * n)
      for (let i = start; i < start + n * n; i += n + 1) data[i]! += data[i]! < 0 ? -n : n;
    return fromTypedArray(typed([...data], dtype), shape);
  });
}

/** What programs are made of: functions that are defined for all numbers and grow slowly. */
const steps: readonly Step[] = [
  { name: "neg", arity: 1, f: neg },
  { name: "sin", arity: 1, f: sin },
  { name: "add", arity: 2, f: add },
  { name: "mul", arity: 2, f: mul },
  { name: "sub", arity: 2, f: sub },
  { name: "cos", arity: 1, f: cos },
  { name: "tanh", arity: 1, f: tanh },
  { name: "sigmoid", arity: 1, f: sigmoid },
  { name: "atan", arity: 1, f: atan },
  { name: "transpose", arity: 1, f: (x) => transpose(x!) },
  { name: "matmul", arity: 2, f: (x, y) => matmul(x!, y!) },
  { name: "softmax", arity: 1, f: (x) => softmax(x!) },
  { name: "cumsum", arity: 1, f: (x) => cumsum(x!) },
  { name: "relu", arity: 1, f: relu },
  { name: "abs", arity: 1, f: abs },
  { name: "maximum", arity: 2, f: maximum },
  { name: "minimum", arity: 2, f: minimum },
];

export interface ProgramOptions {
  /** Steps beside the usual ones, such as your own ops: functions of one or two square matrices that give one of the same shape. */
  readonly steps?: readonly Step[] | undefined;
  /** Only these: no usual ones. */
  readonly only?: boolean | undefined;
  /** At most so many steps; 8 unless given. */
  readonly maxLength?: number | undefined;
  /** float32 unless given. */
  readonly dtype?: "float32" | "float64" | undefined;
}

/**
 * Random differentiable programs of one or two square matrices. One that fails shrinks to the fewest steps, and prints as
 * TypeScript that runs, once your own steps in it are imported too. Throws ValueError if there are no steps to choose from.
 *
 * @example
 * ```ts
 * import { checkGradient } from "@cotangent/autograd";
 * import { programs } from "@cotangent/autograd/testing/fast-check";
 * import fc from "fast-check";
 * fc.assert(fc.property(programs(), ({ f, inputs }) => checkGradient(f, inputs).pass), { numRuns: 10 });
 * ```
 */
export function programs(options?: ProgramOptions): fc.Arbitrary<RandomProgram> {
  const known = { steps: true, only: "boolean", maxLength: true, dtype: true } as const;
  const {
    steps: own = [],
    only = false,
    maxLength = 8,
    dtype = "float32",
  } = optionsOf("programs", options, known);
  const all = only ? own : [...own, ...steps];
  if (all.length === 0)
    throw new ValueError("programs: there are no steps to choose from; give some in steps");
  const choice: fc.Arbitrary<Choice> = fc.record({
    step: fc.nat({ max: all.length - 1 }),
    operands: fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })),
  });
  const inputs = fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }))
    .chain(([n, count]) =>
      fc.array(tensors({ shape: [n, n], dtype }), { minLength: count, maxLength: count }),
    );
  return fc
    .tuple(inputs, fc.array(choice, { minLength: 1, maxLength }))
    .map(([x, choices]) => new RandomProgram(x, all, choices, own));
}

export type { Step };
export { RandomProgram };
