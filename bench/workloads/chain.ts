import type { Tensor } from "@cotangent/autograd";
import { grad, scalar } from "@cotangent/autograd";
import type { Variants } from "../workload.ts";
import { reading } from "../workload.ts";

/** The derivative of a chain of scalar ops with period 10. */
export const chain = (length: number): Variants =>
  reading(
    2,
    () => scalar(0.5),
    (x0) => {
      let x: Tensor = x0;
      for (let i = 0; i < length; i++) {
        const k = i % 10;
        x = k === 9 ? x.tanh() : k % 2 === 0 ? x.mul(1.0001) : x.add(k % 4 === 1 ? 0.1 : -0.1);
      }
      return grad(x, [x0])[0];
    },
  );
