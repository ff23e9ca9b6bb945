/** Compares 30 steps of every optimizer with the numbers that `optimizers.py` took from PyTorch or computed from the papers. */
import { readFileSync } from "node:fs";
import type { Tensor, Variable } from "@cotangent/autograd";
import { add, compile, mul, slice, square, sub, sum, tensor, variable } from "@cotangent/autograd";
import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AdamWScheduleFree,
  ASGD,
  accumulate,
  clipByNorm,
  clipByValue,
  LAMB,
  LARS,
  Lion,
  lookahead,
  Muon,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SGDScheduleFree,
  type Stage,
} from "@cotangent/nn";
import { describe, expect, test } from "vitest";

const optimizers: Readonly<Record<string, new (parameters: never, options: never) => Optimizer>> = {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AdamWScheduleFree,
  ASGD,
  LAMB,
  LARS,
  Lion,
  Muon,
  NAdam,
  RAdam,
  RMSprop,
  Rprop,
  SGD,
  SGDScheduleFree,
};

type Matrix = readonly (readonly number[])[];
type Options = Record<string, unknown>;
interface Case {
  readonly case: string;
  readonly optimizer: string;
  readonly options: Options;
  readonly groups?: readonly Options[];
  /** The name of each stage and what it is given. */
  readonly stages?: readonly (readonly [name: string, number, (number | "Infinity")?])[];
  /** The parameters after some of the steps, counted from 1. */
  readonly steps: readonly {
    readonly step: number;
    readonly w: Matrix;
    readonly b: readonly number[] | Matrix;
    readonly ax?: Matrix;
    readonly x?: Matrix;
  }[];
}

const { start, cases }: { start: { w: Matrix; b: number[]; a: Matrix; c: Matrix }; cases: Case[] } =
  JSON.parse(readFileSync(new URL("optimizers.json", import.meta.url), "utf8"));

/**
 * How far a parameter may be off after 30 steps, in units of half the distance from the largest one to the next float: PyTorch
 * fuses products with sums where the machine can, which is one rounding less. (With fused products the numbers of SGD are the
 * same to the bit.)
 */
const allowed = 8;

describe("30 steps give the parameters of PyTorch or the paper with", () => {
  test.each(cases)("$case", (subject) => {
    const { w, b, optimizer } = make(subject);
    for (let i = 0, recorded = 0; i < 30; i++) {
      if (i === 20) halve(optimizer);
      const before = [...b.toTypedArray()];
      optimizer.step(lossOf(w, b, i));
      if (i === 8 && !subject.stages) expect([...b.toTypedArray()]).toEqual(before);
      const expected = subject.steps[recorded]!;
      if (i + 1 !== expected.step) continue;
      recorded++;
      expect(distance(w, expected.w.flat()), `w after step ${i + 1}`).toBeLessThanOrEqual(allowed);
      expect(distance(b, expected.b.flat()), `b after step ${i + 1}`).toBeLessThanOrEqual(allowed);
      if (optimizer instanceof ASGD)
        expect(distance(optimizer.averages[0]!, expected.ax!.flat())).toBeLessThanOrEqual(allowed);
      if (expected.x) {
        optimizer.eval!();
        expect(distance(w, expected.x.flat()), `x after step ${i + 1}`).toBeLessThanOrEqual(allowed);
        optimizer.train!();
      }
    }
  });
});

test("backward and step give the same numbers as step of the loss", () => {
  for (const subject of cases) {
    const [direct, stored] = [make(subject), make(subject)];
    for (let i = 0; i < 10; i++) {
      direct.optimizer.step(lossOf(direct.w, direct.b, i));
      stored.optimizer.zeroGrad();
      lossOf(stored.w, stored.b, i).backward();
      stored.optimizer.step();
    }
    expect([stored.w.toArray(), stored.b.toArray()]).toEqual([direct.w.toArray(), direct.b.toArray()]);
  }
});

test("a compiled step gives the same bits as a plain one", () => {
  for (const subject of cases) {
    const [plain, compiled] = [make(subject), make(subject)];
    const step = compile(() => compiled.optimizer.step(lossOf(compiled.w, compiled.b, 0)));
    for (let i = 0; i < 10; i++) {
      if (i === 5) for (const { optimizer } of [plain, compiled]) halve(optimizer);
      plain.optimizer.step(lossOf(plain.w, plain.b, 0));
      step();
    }
    expect([...compiled.w.toTypedArray(), ...compiled.b.toTypedArray()], subject.case).toEqual([
      ...plain.w.toTypedArray(),
      ...plain.b.toTypedArray(),
    ]);
  }
});

const stageMakers: Readonly<Record<string, (x: number, p?: number) => Stage>> = {
  accumulate,
  clipByNorm: (maxNorm, normType = 2) => clipByNorm(maxNorm, { normType }),
  clipByValue,
  lookahead: (k, alpha = 0.5) => lookahead({ k, alpha }),
};

function make({ optimizer: name, options, groups, stages }: Case): {
  w: Variable;
  b: Variable;
  optimizer: Optimizer;
} {
  // Muon takes matrices only, and its numbers are float64.
  const dtype = name === "Muon" ? "float64" : "float32";
  const w = variable(tensor(start.w, { dtype }), { name: "w" });
  const b = variable(tensor(name === "Muon" ? [start.b] : start.b, { dtype }), { name: "b" });
  const parameters = groups ? [w, b].map((x, i) => ({ ...groups[i], parameters: [x] })) : [w, b];
  const made = stages?.map(([stage, x, p]) => stageMakers[stage]!(x, p && Number(p))) ?? [];
  return {
    w,
    b,
    optimizer: new optimizers[name]!(parameters as never, { ...options, stages: made } as never),
  };
}

function halve(optimizer: Optimizer): void {
  if (optimizer instanceof Rprop) return;
  for (const group of (optimizer as Adam).groups) group.lr /= 2;
}

function lossOf(w: Tensor, b: Tensor, step: number): Tensor {
  const like = { dtype: w.dtype };
  const own = sum(mul(tensor(start.a, like), square(sub(w, tensor(start.c, like)))));
  return step === 8 ? own : add(own, sum(mul(slice(w, 0, 1), b)));
}

function distance(x: Tensor, expected: readonly number[]): number {
  const [rounded, digits] = x.dtype === "float32" ? [Math.fround, 24] : [Number, 53];
  const largest = Math.max(...expected.map(Math.abs));
  const off = Array.from(x.toTypedArray(), (value, i) => Math.abs(value - rounded(expected[i]!)));
  return Math.max(...off) / (largest * 2 ** -digits);
}
