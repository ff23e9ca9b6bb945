/** Compares 30 steps of every optimizer with the numbers that `optimizers.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import type { Tensor, Variable } from "@cotangent/autograd";
import { add, mul, slice, square, sub, sum, tensor, variable } from "@cotangent/autograd";
import { Adagrad, Adam, AdamW, type Optimizer, RMSprop, SGD } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const optimizers = { Adagrad, Adam, AdamW, RMSprop, SGD };

type Matrix = readonly (readonly number[])[];
interface Case {
  readonly case: string;
  readonly optimizer: keyof typeof optimizers;
  readonly options: Record<string, unknown>;
  readonly steps: readonly { readonly w: Matrix; readonly b: readonly number[] }[];
}

const { start, cases }: { start: { w: Matrix; b: number[]; a: Matrix; c: Matrix }; cases: Case[] } =
  JSON.parse(readFileSync(new URL("optimizers.json", import.meta.url), "utf8"));

/**
 * How far a parameter may be off after 30 steps, in units of 2^-24 of the largest one: PyTorch fuses products with sums
 * where the machine can, which is one rounding less. (With fused products the numbers of SGD are the same to the bit.)
 */
const allowed = 8;

describe("30 steps give PyTorch's parameters with", () => {
  test.each(cases)("$case", ({ optimizer, options, steps }) => {
    const [w, b] = [variable(tensor(start.w), { name: "w" }), variable(tensor(start.b), { name: "b" })];
    const subject = make(optimizer, [w, b], options);
    for (const [i, expected] of steps.entries()) {
      if (i === 20) subject.lr /= 2;
      const before = [...b.toTypedArray()];
      subject.step(lossOf(w, b, i));
      expect(distance(w, expected.w.flat()), `w after step ${i + 1}`).toBeLessThanOrEqual(allowed);
      expect(distance(b, expected.b), `b after step ${i + 1}`).toBeLessThanOrEqual(allowed);
      if (i === 8) expect([...b.toTypedArray()]).toEqual(before);
    }
  });
});

test("backward and step give the same numbers as step of the loss", () => {
  for (const { optimizer, options } of cases) {
    const [first, second] = [0, 1].map(() => [variable(tensor(start.w)), variable(tensor(start.b))] as const);
    const [direct, stored] = [make(optimizer, first!, options), make(optimizer, second!, options)];
    for (let i = 0; i < 10; i++) {
      direct.step(lossOf(...first!, i));
      stored.zeroGrad();
      lossOf(...second!, i).backward();
      stored.step();
    }
    expect(second!.map((x) => x.toArray())).toEqual(first!.map((x) => x.toArray()));
  }
});

function make(
  name: Case["optimizer"],
  parameters: readonly Variable[],
  options: Record<string, unknown>,
): Optimizer & { lr: number } {
  return new optimizers[name](parameters, options as { lr: number });
}

function lossOf(w: Tensor, b: Tensor, step: number): Tensor {
  const own = sum(mul(tensor(start.a), square(sub(w, tensor(start.c)))));
  return step === 8 ? own : add(own, sum(mul(slice(w, 0, 1), b)));
}

function distance(x: Tensor, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  const off = Array.from(x.toTypedArray(), (value, i) => Math.abs(value - Math.fround(expected[i]!)));
  return Math.max(...off) / (largest * 2 ** -24);
}
