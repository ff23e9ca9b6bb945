/** Compares losses of several operands with the numbers that `objectives.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import type { DType, Tensor } from "@cotangent/autograd";
import { cast, checkGradient, fromTypedArray, grad, logSoftmax, onesLike } from "@cotangent/autograd";
import * as nnLoss from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";

interface Golden {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
interface Result {
  readonly value: Golden;
  /** By each float tensor among the arguments. */
  readonly gradients: readonly (readonly (number | string)[])[];
}
type Results = { readonly [R in "mean" | "sum" | "none"]: Result };
interface Case {
  readonly loss: string;
  readonly case: string;
  readonly args: readonly Golden[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly float32: Results;
  readonly float64: Results;
}

type AnyLoss = (...operands: unknown[]) => Tensor;
const losses = nnLoss as unknown as Record<string, AnyLoss>;
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL("objectives.json", import.meta.url), "utf8"),
);

/** How far we may be from PyTorch, in units of half a last place of the largest number. */
const allowed = 16;
const unit = { float32: 2 ** -24, float64: 2 ** -53 };
const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

const isGolden = (x: unknown): x is Golden => typeof x === "object" && x !== null && "data" in x;
const isFloat = (x: Tensor): boolean => x.dtype.startsWith("float");

function read(x: unknown, dtype: DType): unknown {
  if (!isGolden(x)) return x;
  const made = fromTypedArray(arrays[x.dtype].from(x.data.map(Number)), x.shape);
  return x.dtype.startsWith("float") ? cast(made, dtype) : made;
}

/** The loss of operands; that of ctc is one of logits, since PyTorch's gradient is right only for them. */
function lossOf({ loss, options }: Case, operands: readonly Tensor[], dtype: DType, more: object): Tensor {
  const given = Object.entries(options).map(([key, x]) => [key, read(x, dtype)]);
  const [first, ...rest] = operands as [Tensor, ...Tensor[]];
  const x = loss === "ctc" ? logSoftmax(first, -1) : first;
  return losses[loss]!(x, ...rest, { ...Object.fromEntries(given), ...more });
}

function expectNear(
  what: string,
  x: Tensor,
  expected: readonly (number | string)[],
  dtype: "float32" | "float64",
): void {
  const numbers = expected.map(Number);
  const largest = Math.max(1, ...numbers.filter(Number.isFinite).map(Math.abs));
  expect(x.size).toBe(numbers.length);
  x.toTypedArray().forEach((value, i) => {
    const message = `${what}, element ${i}: ${value} for ${numbers[i]}`;
    const off = Object.is(value, numbers[i]) ? 0 : Math.abs(value - numbers[i]!);
    // A departure: PyTorch multiplies the infinite derivative of a branch that is not taken by 0.
    if (Number.isNaN(numbers[i])) expect(value, what).toSatisfy(Number.isFinite);
    else expect(off, message).toBeLessThanOrEqual(allowed * unit[dtype] * largest);
  });
}

for (const dtype of ["float32", "float64"] as const)
  describe(`in ${dtype} PyTorch's value and gradients for`, () => {
    for (const reduction of ["mean", "sum", "none"] as const)
      test.each(cases)(`$loss $case, reduction ${reduction}`, (found) => {
        const operands = found.args.map((x) => read(x, dtype) as Tensor);
        const floats = operands.filter(isFloat);
        const { value, gradients } = found[dtype][reduction];
        const out = lossOf(found, operands, dtype, { reduction });
        expect(out.shape).toEqual(value.shape);
        expect(out.dtype).toBe(dtype);
        expectNear("value", out, value.data, dtype);
        const weights = Float64Array.from({ length: out.size }, (_, i) => (i + 1) / 4);
        const cotangent =
          reduction === "none" ? cast(fromTypedArray(weights, out.shape), dtype) : onesLike(out);
        grad(out, floats, { cotangent }).forEach((g, i) => {
          expectNear(`gradient ${i}`, g, gradients[i]!, dtype);
        });
      });
  });

/** How many operands a loss is smooth in; the targets of these jump. */
const smooth: Readonly<Record<string, number>> = { cosineEmbedding: 2, poissonNll: 1 };

describe("the gradients agree with finite differences for", () => {
  test.each(cases.filter((found) => !found.case.includes("kink")))("$loss $case", (found) => {
    const operands = found.args.map((x) => read(x, "float64") as Tensor);
    const floats = operands.filter(isFloat).slice(0, smooth[found.loss]);
    const f = (...xs: Tensor[]): Tensor => {
      const rest = [...xs];
      const all = operands.map((x) => (isFloat(x) ? (rest.shift() ?? x) : x));
      return lossOf(found, all, "float64", {});
    };
    const report = checkGradient(f, floats);
    expect(report.pass, String(report)).toBe(true);
  });
});
