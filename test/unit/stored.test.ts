import { compile, type Tensor, uniform } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { same } from "../bits.ts";

/** How many kernels a function of a matrix, another one and a row takes, after it was compared with the interpreter. */
function kernels(f: (x: Tensor, w: Tensor, b: Tensor) => Tensor[]): number {
  const args = [uniform([8, 16]), uniform([16, 12]), uniform([12])] as const;
  same(f, args);
  const compiled = compile(f);
  compiled(...args);
  return Number(/^kernels: (\d+)/m.exec(compiled.explain())?.[1]);
}

describe("what several kernels read is computed in each of them", () => {
  test("if it takes few steps: a square counts its operand once", () => {
    // The product, and two sums.
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b);
        return [y.square().sum(0), y.square().sum(1)];
      }),
    ).toBe(3);
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b);
        const square = y.mul(y);
        return [square.sum(0), square.sum(1)];
      }),
    ).toBe(3);
  });

  test("and not if it takes many", () => {
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b).tanh();
        return [y.sum(0), y.sum(1)];
      }),
    ).toBe(4);
  });
});
