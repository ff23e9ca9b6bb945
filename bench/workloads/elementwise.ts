import { grad } from "@cotangent/autograd";
import { Source } from "../data.ts";
import type { Variants } from "../workload.ts";
import { computing } from "../workload.ts";

const size = 1_000_000;

/** sum(tanh(a b + c) sigmoid(d)) of a million elements each, and its gradients by all four. */
export const elementwise: Variants = computing(
  2,
  () => {
    const source = new Source(6);
    return Array.from({ length: 4 }, () => source.uniform([size], -1, 1));
  },
  (...inputs) => {
    const [a, b, c, d] = inputs;
    const sum = a!.mul(b!).add(c!).tanh().mul(d!.sigmoid()).sum();
    return [sum, ...grad(sum, [...inputs])];
  },
);
