import type { Tensor, Variable } from "@cotangent/autograd/functional";
import {
  add,
  cast,
  div,
  GradientError,
  grad,
  mul,
  norm,
  rebuild,
  square,
  stack,
  stopGradient,
} from "@cotangent/autograd/functional";
import { checkNumber, optionsOf } from "../options.ts";
import { listOf } from "./transform.ts";

export interface SharpnessOptions {
  /** How far uphill to look, 0.05 unless given. */
  readonly rho?: number | undefined;
  /** Looks further along larger parameters (Kwon et al. 2021, "ASAM"); not unless given. */
  readonly adaptive?: boolean | undefined;
}

/**
 * The loss at a point uphill: the same graph as `loss`, draws included, on parameters that are moved by `rho` in the direction
 * of their gradients. An optimizer that descends it looks for flat valleys: sharpness-aware minimization (Foret et al. 2021,
 * https://arxiv.org/abs/2010.01412). Its gradient is that of the loss there, for which the move counts as constant.
 *
 * Throws GradientError if `loss` is not one float, or reaches none of the parameters as they are now, ValueError for a `rho` below 0.
 *
 * @example
 * ```ts
 * import { compile, variable } from "@cotangent/autograd";
 * import { SGD, sharpnessAware } from "@cotangent/nn";
 * const w = variable([3, -4]);
 * const optimizer = new SGD([w], { lr: 0.25 });
 * const step = compile(() => {
 *   const loss = w.square().sum();
 *   optimizer.step(sharpnessAware(loss, [w], { rho: 5 })); // moves to [6, -8] and takes the gradient there
 *   return loss;
 * });
 * step().item(); // => 25
 * w.toArray(); // => 0,0
 * ```
 */
export function sharpnessAware(
  loss: Tensor,
  parameters: Iterable<Variable>,
  options: SharpnessOptions = {},
): Tensor {
  const { rho = 0.05, adaptive = false } = optionsOf("sharpnessAware", options, {
    rho: true,
    adaptive: "boolean",
  });
  checkNumber("sharpnessAware: rho", rho, 0);
  const list = listOf("sharpnessAware", parameters);
  const gradients = grad(loss, list, { unused: "null" });
  const slopes = list.flatMap((parameter, i) => {
    const g = gradients[i];
    return g ? [{ parameter, g, uphill: adaptive ? mul(square(parameter), g) : g }] : [];
  });
  const lengths = slopes.map(({ parameter, g }) => cast(norm(adaptive ? mul(parameter, g) : g), "float64"));
  if (lengths.length === 0) throw unreached(list.length);
  const scale = div(rho, add(norm(stack(lengths)), 1e-12));
  const moved = slopes.map(({ parameter, uphill }): [Tensor, Tensor] => {
    const move = mul(uphill, cast(scale, uphill.dtype));
    return [parameter, add(parameter, stopGradient(move))];
  });
  const [there] = rebuild([loss], new Map(moved));
  // The loss was built on versions that are no more.
  if (there === undefined || there === loss.node) throw unreached(list.length);
  return there;
}

function unreached(count: number): GradientError {
  return new GradientError(
    `sharpnessAware: the loss reaches none of the ${count} parameters as they are now; build it anew before each step`,
  );
}
