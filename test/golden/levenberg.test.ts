/** Compares each iteration of LevenbergMarquardt with the numbers that `levenberg.py` computed by another way to the same step. */
import { readFileSync } from "node:fs";
import type { Tensor } from "@cotangent/autograd";
import { stack, tensor, variable } from "@cotangent/autograd";
import { LevenbergMarquardt, type LevenbergMarquardtOptions } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

type Problem = "rosenbrock" | "decay" | "plane";
interface Golden {
  readonly starts: Record<Problem, number[]>;
  readonly t: number[];
  readonly y: number[];
  readonly cases: readonly {
    readonly problem: Problem;
    readonly options: LevenbergMarquardtOptions;
    /** After each iteration: the parameters, the cost, the damping, and how many steps have been tried so far. */
    readonly iterations: readonly {
      readonly p: number[];
      readonly cost: number;
      readonly damping: number;
      readonly trials: number;
    }[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("levenberg.json", import.meta.url), "utf8"));
const like = { dtype: "float64" } as const;
const [t, y] = [tensor(golden.t, like), tensor(golden.y, like)];
const [normals, offsets] = [
  tensor(
    [
      [1, 2, -1],
      [0.5, -1, 3],
    ],
    like,
  ),
  tensor([1, 2], like),
];

const problems: Record<Problem, (p: Tensor) => Tensor> = {
  rosenbrock: (p) => {
    const [a, b] = p.unbind() as [Tensor, Tensor];
    return stack([b.sub(a.square()).mul(10), a.neg().add(1)]);
  },
  decay: (p) => {
    const [height, rate, offset] = p.unbind() as [Tensor, Tensor, Tensor];
    return height.mul(t.mul(rate.neg()).exp()).add(offset).sub(y);
  },
  plane: (p) => normals.matmul(p).sub(offsets),
};

describe("each iteration of LevenbergMarquardt gives the numbers of Marquardt's algorithm for", () => {
  test.each(
    golden.cases.map((subject) => ({
      ...subject,
      name: `${subject.problem} ${JSON.stringify(subject.options)}`,
    })),
  )("$name", ({ problem, options, iterations }) => {
    const p = variable(golden.starts[problem], like);
    const optimizer = new LevenbergMarquardt([p], { ...options, maxIter: 1 });
    let [calls, cost] = [0, Number.NaN];
    for (const [i, expected] of iterations.entries()) {
      const before = optimizer.step(() => {
        calls++;
        return problems[problem](p);
      });
      if (i > 0) expect(before.item(), `cost before iteration ${i + 1}`).toBeCloseTo(cost, 9);
      cost = expected.cost;
      expect(calls, `calls after iteration ${i + 1}`).toBe(expected.trials + i + 1);
      expect(optimizer.damping / expected.damping, `damping after iteration ${i + 1}`).toBeCloseTo(1, 9);
      for (const [k, value] of [...p.toTypedArray()].entries())
        expect(value, `p[${k}] after iteration ${i + 1}`).toBeCloseTo(expected.p[k]!, 8);
    }
    expect(iterations.length).toBeGreaterThan(1);
  });
});
