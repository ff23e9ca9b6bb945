import type { Tensor, Variable } from "@cotangent/autograd";
import {
  assignAll,
  compile,
  fromTypedArray,
  grad,
  hessian,
  scalar,
  tensor,
  variable,
} from "@cotangent/autograd";
import { rosenbrockPoint, xorData } from "./data.ts";
import type { Workload } from "./measure.ts";

/** Each workload as a user writes it (plain) and with its step given to `compile`. */
export const workloads: Record<string, { plain(): Workload; compiled(): Workload }> = {
  W1: {
    plain: () => {
      const step = xorStep();
      return { step: () => step().item(), check: 1000 };
    },
    compiled: () => {
      const step = compile(xorStep());
      return { step: () => step().item(), check: 1000 };
    },
  },
  W7: chain(10_000),
  "W7-1000": chain(1000),
  "W7-100": chain(100),
  W9: {
    plain: () => ({ step: () => curvature(tensor(rosenbrockPoint)).item(), check: 1 }),
    compiled: () => {
      const step = compile(curvature);
      const x = tensor(rosenbrockPoint);
      return { step: () => step(x).item(), check: 1 };
    },
  },
};

/** XOR, 2-3-1, sigmoid twice, mean squared error, gradient descent with rate 0.5. */
function xorStep(): () => Tensor {
  const data = xorData();
  const x = fromTypedArray(data.x, [4, 2]);
  const y = fromTypedArray(data.y, [4, 1]);
  const w1 = variable(fromTypedArray(data.w1, [2, 3]));
  const b1 = variable(fromTypedArray(data.b1, [3]));
  const w2 = variable(fromTypedArray(data.w2, [3, 1]));
  const b2 = variable(fromTypedArray(data.b2, [1]));
  const parameters: Variable[] = [w1, b1, w2, b2];
  return () => {
    const hidden = x.matmul(w1).add(b1).sigmoid();
    const loss = hidden.matmul(w2).add(b2).sigmoid().sub(y).square().mean();
    const gradients = grad(loss, parameters);
    assignAll(parameters.map((p, i) => [p, p.sub(gradients[i]!.mul(0.5))]));
    return loss;
  };
}

/** A chain of scalar ops with period 10, and its derivative. */
function chain(length: number): { plain(): Workload; compiled(): Workload } {
  const derivative = (x0: Tensor) => {
    let x = x0;
    for (let i = 0; i < length; i++) {
      const k = i % 10;
      x = k === 9 ? x.tanh() : k % 2 === 0 ? x.mul(1.0001) : x.add(k % 4 === 1 ? 0.1 : -0.1);
    }
    return grad(x, [x0])[0];
  };
  return {
    plain: () => ({ step: () => derivative(scalar(0.5)).item(), check: 2 }),
    compiled: () => {
      const step = compile(derivative);
      const x0 = scalar(0.5);
      return { step: () => step(x0).item(), check: 2 };
    },
  };
}

/** The sum of the absolute entries of the Hessian of the Rosenbrock function. */
function curvature(at: Tensor): Tensor {
  const rosenbrock = (x: Tensor) => {
    const left = x.slice(0, -1);
    const right = x.slice(1);
    return right.sub(left.square()).square().mul(100).add(left.sub(1).square()).sum();
  };
  return hessian(rosenbrock)(at).abs().sum();
}
