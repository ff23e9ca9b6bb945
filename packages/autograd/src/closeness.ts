import { evaluate } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { isclose } from "./ops/distance.ts";
import { all } from "./ops/statistics.ts";
import type { Operand } from "./signature.ts";

/**
 * Is every element of `x` close to that of `y`, as `isclose` says? True where there are none. A boolean of JavaScript, so it computes
 * both; `isclose(x, y).all()` is the tensor. Throws CompileError where values are not there to be read, and what `isclose` throws.
 *
 * @example
 * ```ts
 * import { allclose, tensor } from "@cotangent/autograd";
 * allclose(tensor([0.1, 0.2]).add(0.2), tensor([0.3, 0.4])); // => true
 * allclose(tensor([1, NaN]), tensor([1, NaN]), { equalNan: true }); // => true
 * ```
 */
export function allclose(x: Tensor, y: Operand, options?: Parameters<typeof isclose>[2]): boolean {
  return evaluate([all(isclose(x, y, options))])[0]![0] === 1;
}
