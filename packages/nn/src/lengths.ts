import { DTypeError, ShapeError, Tensor, tensor, ValueError } from "@cotangent/autograd/functional";
import { checkCount } from "./options.ts";

/** How many places of each sequence of a batch count, [n]: whole numbers in a list, or int32. */
export type Lengths = Tensor | readonly number[];

/**
 * The lengths of `n` sequences of `most` places, called `what` in messages that begin with `name`. Throws ValueError, DTypeError or
 * ShapeError unless they are that; those in a tensor are not looked at.
 */
export function lengthsOf(name: string, what: string, given: Lengths, n: number, most: number): Tensor {
  if (!(given instanceof Tensor || Array.isArray(given)))
    throw new ValueError(`${name}: ${what} are a list of whole numbers or a tensor, got ${String(given)}`);
  for (const length of given instanceof Tensor ? [] : given) {
    checkCount(`${name}: one of the ${what}`, length, 0);
    if (length > most)
      throw new ValueError(`${name}: one of the ${what} is ${length}; there are ${most} places`);
  }
  const made: Tensor = given instanceof Tensor ? given : tensor(given, { dtype: "int32" });
  if (made.dtype !== "int32") throw new DTypeError(`${name}: ${what} are int32, got ${made.dtype}`);
  if (made.rank !== 1 || made.shape[0] !== n)
    throw new ShapeError(`${name}: ${what} have shape [${made.shape.join(", ")}]; there are ${n} examples`);
  return made;
}
