/** Compares 8 steps of LBFGS with the numbers that `lbfgs.py` took from PyTorch. */
import { readFileSync } from "node:fs";
import type { Tensor } from "@cotangent/autograd";
import { softplus, tensor, variable } from "@cotangent/autograd";
import { LBFGS, type LBFGSOptions } from "@cotangent/nn";
import { describe, expect, test } from "vitest";

interface Golden {
  readonly starts: Record<"rosenbrock" | "logistic", number[]>;
  readonly x: number[][];
  readonly y: number[];
  readonly cases: readonly {
    readonly loss: "rosenbrock" | "logistic";
    readonly options: LBFGSOptions;
    /** After each step: the loss that it returned, the parameters, how often the loss was computed so far. */
    readonly steps: readonly { readonly loss: number; readonly w: number[]; readonly calls: number }[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("lbfgs.json", import.meta.url), "utf8"));
const [x, y] = [tensor(golden.x, { dtype: "float64" }), tensor(golden.y, { dtype: "float64" })];

const losses = {
  rosenbrock: (w: Tensor): Tensor => {
    const [low, high] = [w.slice(0, 3), w.slice(1, 4)];
    return high.sub(low.square()).square().mul(100).add(low.sub(1).square()).sum();
  },
  logistic: (w: Tensor): Tensor => {
    const z = x.matmul(w.slice(0, 2)).add(w.slice(2, 3));
    return softplus(z).sub(y.mul(z)).mean().add(w.square().sum().mul(0.01));
  },
};

describe("8 steps of LBFGS give PyTorch's parameters with", () => {
  test.each(
    golden.cases.map((subject) => ({
      ...subject,
      name: `${subject.loss} ${JSON.stringify(subject.options)}`,
    })),
  )("$name", ({ loss, options, steps }) => {
    const w = variable(golden.starts[loss], { dtype: "float64" });
    const optimizer = new LBFGS([w], options);
    let calls = 0;
    for (const [i, expected] of steps.entries()) {
      const before = optimizer.step(() => {
        calls++;
        return losses[loss](w);
      });
      expect(before.item(), `loss before step ${i + 1}`).toBeCloseTo(expected.loss, 9);
      expect(calls, `calls after step ${i + 1}`).toBe(expected.calls);
      for (const [k, value] of [...w.toTypedArray()].entries())
        expect(value, `w[${k}] after step ${i + 1}`).toBeCloseTo(expected.w[k]!, 8);
    }
  });
});
