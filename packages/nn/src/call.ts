import type { Tensor, Variable } from "@cotangent/autograd/functional";
import { ValueError, withValues } from "@cotangent/autograd/functional";
import type { Module } from "./module.ts";

/** Tensors by the names of the parameters and buffers that they stand in for. */
export type Values = Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>;

/**
 * `module.forward(...inputs)` with other tensors in place of parameters and buffers, those that `values` has under the names of
 * `namedParameters()` and `namedBuffers()`; the others stay. It makes a model a function of its weights, for transforms (`jvp`, `hvp`,
 * `vmap` over several models), for weights that a step of a method or another network gives (Finn et al. 2017, "Model-agnostic
 * meta-learning", https://arxiv.org/abs/1703.03400), and leaves the model as it is, but for buffers that `forward` assigns and `values`
 * lacks.
 *
 * Throws ValueError for names that there are not, and what `withValues` and `forward` throw.
 *
 * @example
 * ```ts
 * import { grad, mapTree, ones, stack, type Tensor, vmap } from "@cotangent/autograd";
 * import { functionalCall, Linear } from "@cotangent/nn";
 * const model = new Linear(2, 1, { bias: false });
 * const x = ones([4, 2]);
 * const [g] = grad(model.forward(x).mean(), [model.weight]);
 * const later = functionalCall(model, { weight: model.weight.sub(g.mul(0.1)) }, x);
 * grad(later.mean(), [model.weight])[0].toArray(); // => 1,1
 * const weights = stack([ones([1, 2]), ones([1, 2]).mul(2)]); // of two models
 * vmap((weight: Tensor) => functionalCall(model, { weight }, x))(weights).mean([1, 2]).toArray(); // => 2,4
 * ```
 */
export function functionalCall<M extends Module>(
  module: M,
  values: Values,
  ...inputs: Parameters<M["forward"]>
): ReturnType<M["forward"]> {
  const variables = new Map<string, Variable>([...module.namedParameters(), ...module.namedBuffers()]);
  const given = values instanceof Map ? [...values] : Object.entries(values ?? {});
  const unknown = given.flatMap(([name]) => (variables.has(name) ? [] : [name]));
  if (unknown.length > 0)
    throw new ValueError(
      `functionalCall: ${module.constructor.name} has no ${unknown.join(", ")}; the names are ${[...variables.keys()].join(", ")}`,
    );
  const pairs = given.map(([name, value]) => [variables.get(name)!, value] as const);
  return withValues(pairs, () => module.forward(...inputs) as ReturnType<M["forward"]>);
}
