import type { Tensor } from "@cotangent/autograd";
import { hessian, tensor } from "@cotangent/autograd";
import type { Variants } from "../workload.ts";
import { reading } from "../workload.ts";

function rosenbrock(x: Tensor): Tensor {
  const left = x.slice(0, -1);
  const right = x.slice(1);
  return right.sub(left.square()).square().mul(100).add(left.sub(1).square()).sum();
}

/** The sum of the absolute entries of the Hessian of the Rosenbrock function in ten dimensions. */
export const curvature: Variants = reading(
  1,
  () => tensor(Float32Array.from({ length: 10 }, (_, i) => 0.1 * (i + 1) - 0.4)),
  (x) => hessian(rosenbrock)(x).abs().sum(),
);
