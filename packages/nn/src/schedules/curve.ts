import type { Operand, Tensor } from "@cotangent/autograd/functional";
import { cast, scalar } from "@cotangent/autograd/functional";

/**
 * A number that depends on how many steps have been taken, 0 before the first: computed in float64, without axes. An optimizer
 * takes it in place of a number, and inside `compile` it becomes part of the program.
 */
export type Curve = (step: Operand<[]>) => Tensor;

/** The curve whose value at a float64 tensor `step` is `at(step)`. */
export function curve(at: (step: Tensor) => Tensor): Curve {
  return (step) => at(typeof step === "number" ? exactly(step) : cast(step, "float64"));
}

export const exactly = (value: number): Tensor => scalar(value, { dtype: "float64" });
