import type { Operand } from "@cotangent/autograd/functional";
import { checkNames, hideFrames, Tensor, ValueError } from "@cotangent/autograd/functional";
import { shown } from "../options.ts";

hideFrames(import.meta.url);

/** How likely: one of the two. */
export type Chance =
  /** Logarithms of odds, `log(p / (1 - p))`: what a model gives. */
  | { readonly logits: Operand; readonly probabilities?: undefined }
  | { readonly probabilities: Operand; readonly logits?: undefined };

/** Throws ValueError unless one of several, and nothing else, is named. */
export function checkOne(name: string, given: object, names: readonly [string, string]): void {
  const [a, b] = names;
  if (!given || typeof given !== "object" || given instanceof Tensor || Array.isArray(given))
    throw new ValueError(`${name}: takes { ${a} } or { ${b} }, got ${shown(given)}`);
  checkNames(name, given, names);
  const count = Object.values(given).filter((x) => x !== undefined).length;
  if (count !== 1) throw new ValueError(`${name}: takes either ${a} or ${b}, and one of them`);
}

/** Probabilities count as at least so far from 0 and 1 where their logarithm is taken, as in PyTorch: the distance of 1 from the next number. */
export const leastOf = (dtype: string): number => (dtype === "float64" ? 2 ** -52 : 2 ** -23);
