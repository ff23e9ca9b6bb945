import type { DrawOptions, Known } from "@cotangent/autograd/functional";
import { hideFrames, Tensor, ValueError } from "@cotangent/autograd/functional";

export type { Known } from "@cotangent/autograd/functional";
export { checkNames, optionsOf } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

/** Checks of what a caller may set. In JavaScript anything can stand there, and what is ignored is not noticed. */

/** Options that are all given. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** What draws at random takes. */
export const drawing: Known<DrawOptions> = { dtype: true, generator: true };

/** Throws ValueError unless `value` is a finite number of at least `least`. */
export function checkNumber(option: string, value: unknown, least: number = -Infinity): void {
  if (!(finite(value) && value >= least))
    refuse(option, `a finite number${least > -Infinity ? ` of at least ${least}` : ""}`, value);
}

/** Throws ValueError unless `value` is a finite number above 0. */
export function checkPositive(option: string, value: unknown): void {
  if (!(finite(value) && value > 0)) refuse(option, "a finite number above 0", value);
}

/** Throws ValueError unless `value` is a number from 0 to 1. */
export function checkShare(option: string, value: unknown): void {
  if (!(finite(value) && value >= 0 && value <= 1)) refuse(option, "a share from 0 to 1", value);
}

/** Throws ValueError unless `value` is a whole number of at least `least`. */
export function checkCount(option: string, value: unknown, least: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least))
    refuse(option, `a whole number of at least ${least}`, value);
}

/** Throws ValueError unless `value` is a function. */
export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== "function") refuse(option, "a function", value);
}

/** Throws ValueError unless `value` is an array. */
export function checkList(option: string, value: unknown): void {
  if (!Array.isArray(value)) refuse(option, "a list", value);
}

/** Throws ValueError unless `value` is an array of functions. */
export function checkFunctions(option: string, value: unknown): void {
  if (!(Array.isArray(value) && value.every((f) => typeof f === "function")))
    refuse(option, "a list of functions", value);
}

/** Throws ValueError unless both are tensors. */
export function checkPair(name: string, prediction: unknown, target: unknown): void {
  if (!(prediction instanceof Tensor && target instanceof Tensor))
    throw new ValueError(`${name}: takes two tensors, a prediction and a target; make them with tensor(...)`);
}

const finite = (value: unknown): value is number => Number.isFinite(value);

/** What was given, for messages. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Tensor) return "a tensor";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function refuse(option: string, what: string, value: unknown): never {
  throw new ValueError(`${option} is ${what}, got ${shown(value)}`);
}
