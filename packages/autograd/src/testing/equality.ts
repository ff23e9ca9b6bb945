import { Tensor } from "../graph.ts";
import { equalShapes } from "../shape.ts";

/**
 * Equality of tensors for test runners: the same shape, dtype and elements (NaN equals NaN). Without it a runner tells
 * tensors apart by identity; it never walks the graph.
 *
 * Returns undefined for anything that is not a tensor, so that the runner decides.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { tensorEquality } from "@cotangent/autograd/testing";
 * tensorEquality(tensor([1, 2]), tensor([0.5, 1]).mul(2)); // => true
 * // In Vitest and Jest: expect.addEqualityTesters([tensorEquality]);
 * ```
 */
export function tensorEquality(a: unknown, b: unknown): boolean | undefined {
  if (!(a instanceof Tensor || b instanceof Tensor)) return undefined;
  if (!(a instanceof Tensor && b instanceof Tensor)) return false;
  if (a.dtype !== b.dtype || !equalShapes(a.shape, b.shape)) return false;
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  return x.every((value, i) => value === y[i] || (value !== value && y[i] !== y[i]));
}
