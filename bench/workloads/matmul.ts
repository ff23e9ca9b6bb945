import type { Tensor } from "@cotangent/autograd";
import { compile, evaluate, grad, matmul } from "@cotangent/autograd";
import { Source } from "../data.ts";
import type { Variants, Workload } from "../workload.ts";
import { computing } from "../workload.ts";

function matrices(n: number): [a: Tensor, b: Tensor] {
  const source = new Source(5);
  return [source.uniform([n, n], -1, 1), source.uniform([n, n], -1, 1)];
}

/** The product of two matrices, computed and not read. */
export function product(n: number): Variants {
  const run = (multiply: (a: Tensor, b: Tensor) => Tensor): Workload => {
    const [a, b] = matrices(n);
    let c = a;
    const step = () => {
      c = multiply(a, b);
      evaluate(c);
      return Number.NaN;
    };
    return { step, check: 0, entry: () => c.toTypedArray()[1]! };
  };
  return { plain: () => run(matmul), compiled: () => run(compile((a: Tensor, b: Tensor) => a.matmul(b))) };
}

/** The sum of the product, and its gradients by both matrices. */
export const productGradients = (n: number): Variants =>
  computing(
    2,
    () => matrices(n),
    (a, b) => {
      const sum = matmul(a!, b!).sum();
      return [sum, ...grad(sum, [a!, b!])];
    },
  );
