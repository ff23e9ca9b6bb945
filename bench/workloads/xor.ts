import type { Tensor } from "@cotangent/autograd";
import { assignAll, grad, tensor, variable } from "@cotangent/autograd";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { training } from "../workload.ts";

/** XOR, 2-3-1, sigmoid twice, mean squared error, gradient descent with rate 0.5. */
function xorStep(): () => Tensor {
  const source = new Source(1);
  // biome-ignore format: a truth table
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const y = tensor([[0], [1], [1], [0]]);
  const w1 = variable(source.uniform([2, 3], -1, 1));
  const b1 = variable(source.uniform([3], -1, 1));
  const w2 = variable(source.uniform([3, 1], -1, 1));
  const b2 = variable(source.uniform([1], -1, 1));
  const parameters = [w1, b1, w2, b2];
  return () => {
    const hidden = x.matmul(w1).add(b1).sigmoid();
    const loss = hidden.matmul(w2).add(b2).sigmoid().sub(y).square().mean();
    const gradients = grad(loss, parameters);
    assignAll(parameters.map((p, i) => [p, p.sub(gradients[i]!.mul(0.5))]));
    return loss;
  };
}

export const xor: Variants = training(1000, xorStep);
