/** Compares every loss with the numbers that `losses.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import type { Shape, Tensor } from "@cotangent/autograd";
import { cast, checkGradient, fromTypedArray, grad, onesLike } from "@cotangent/autograd";
import type { Reduction } from "@cotangent/nn/loss";
import * as nnLoss from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

type Entry = number | "NaN" | "Infinity" | "-Infinity";
interface Result {
  readonly shape: Shape;
  readonly value: readonly Entry[];
  readonly prediction: readonly Entry[];
  readonly target: readonly Entry[] | null;
  readonly variance?: readonly Entry[];
}
type Results = { readonly [R in Reduction]: Result } & {
  readonly batchMean?: Result;
  readonly cotangent: readonly number[];
};
interface Case {
  readonly loss: string;
  readonly case: string;
  /** Lists are tensors. */
  readonly options: Readonly<Record<string, number | boolean | readonly number[]>>;
  readonly shape: Shape;
  readonly prediction: readonly number[];
  readonly targetShape: Shape;
  readonly target: readonly number[];
  readonly classes: boolean;
  /** A third operand. */
  readonly variance?: readonly number[];
  readonly varianceShape?: Shape;
  readonly float32: Results;
  readonly float64: Results;
}

/** Two or three tensors, then options. */
type AnyLoss = (...operands: unknown[]) => Tensor;
const losses = nnLoss as unknown as Record<string, AnyLoss>;

const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("losses.json", import.meta.url), "utf8"),
);

/** How far we may be from PyTorch, in units of half a last place of an array's largest number. */
const allowed = 8;
const unit = { float32: 2 ** -24, float64: 2 ** -53 };

for (const dtype of ["float32", "float64"] as const)
  describe(`in ${dtype} PyTorch's value and gradients for`, () => {
    for (const reduction of ["mean", "sum", "none", "batchMean"] as const)
      test.each(cases.filter((example) => example[dtype][reduction]))(
        `$loss $case, reduction ${reduction}`,
        (example) => {
          const inputs = operands(example, dtype);
          const [x, y, v] = inputs;
          const { shape, value, prediction, target, variance } = example[dtype][reduction]!;
          const out = losses[example.loss]!(...inputs, { reduction, ...optionsOf(example, dtype) });
          expect(out.shape).toEqual(shape);
          expect(out.dtype).toBe(dtype);
          expectNear(out, value, dtype);
          const cotangent =
            reduction === "none" ? numbers(example[dtype].cotangent, shape, dtype) : onesLike(out);
          expectNear(grad(out, [x], { cotangent })[0], prediction, dtype);
          if (target) expectNear(grad(out, [y], { cotangent })[0], target, dtype);
          if (v) expectNear(grad(out, [v], { cotangent })[0], variance!, dtype);
        },
      );
  });

describe("the gradients agree with finite differences for", () => {
  const smooth = cases.filter(({ case: name }) => !/certain|equal|large/.test(name));
  test.each(smooth)("$loss $case", (example) => {
    const inputs = operands(example, "float64");
    const f = (...some: Tensor[]): Tensor =>
      losses[example.loss]!(...some, ...inputs.slice(some.length), optionsOf(example, "float64"));
    const report = checkGradient(f, example.classes ? inputs.slice(0, 1) : inputs);
    expect(report.pass, String(report)).toBe(true);
  });
});

function operands(example: Case, dtype: "float32" | "float64"): [Tensor, Tensor, ...Tensor[]] {
  const target = numbers(example.target, example.targetShape, "float64");
  const { variance, varianceShape } = example;
  return [
    numbers(example.prediction, example.shape, dtype),
    cast(target, example.classes ? "int32" : dtype),
    ...(variance ? [numbers(variance, varianceShape!, dtype)] : []),
  ];
}

function optionsOf({ options }: Case, dtype: "float32" | "float64"): Record<string, unknown> {
  const entries = Object.entries(options);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      Array.isArray(value) ? numbers(value as readonly number[], [value.length], dtype) : value,
    ]),
  );
}

function numbers(data: readonly number[], shape: Shape, dtype: "float32" | "float64"): Tensor {
  return cast(fromTypedArray(Float64Array.from(data), shape), dtype);
}

/**
 * A departure: the derivative of bce by a target is the difference of two logarithms that PyTorch clamps in the loss but
 * not in the derivative, where it is infinite. Ours is that of the clamped loss, 100 times the weight.
 */
function expectNear(x: Tensor, expected: readonly Entry[], dtype: "float32" | "float64"): void {
  const finite = expected.filter((entry) => typeof entry === "number");
  const largest = Math.max(0, ...finite.map(Math.abs));
  x.toTypedArray().forEach((value, i) => {
    const entry = expected[i]!;
    if (entry === "NaN") expect(value).toBeNaN();
    else if (typeof entry === "string") expect(Math.sign(value)).toBe(Math.sign(Number(entry)));
    else expect(Math.abs(value - entry)).toBeLessThanOrEqual(allowed * unit[dtype] * largest);
  });
}
