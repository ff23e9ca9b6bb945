import type { Operand, Tensor } from "@cotangent/autograd/functional";
import { cast, scalar, ValueError } from "@cotangent/autograd/functional";

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

/** Throws ValueError unless `value` is a finite number from `least` to `most`. */
export function checkNumber(
  option: string,
  value: number,
  least: number = Number.NEGATIVE_INFINITY,
  most: number = Number.POSITIVE_INFINITY,
): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  const range = [
    Number.isFinite(least) ? ` of at least ${least}` : "",
    Number.isFinite(most) ? ` and at most ${most}` : "",
  ].join("");
  throw new ValueError(`${option} is a finite number${range}, got ${String(value)}`);
}

/** Throws ValueError unless `value` is a whole number of at least `least`. */
export function checkCount(option: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least))
    throw new ValueError(`${option} is a whole number of at least ${least}, got ${String(value)}`);
}
