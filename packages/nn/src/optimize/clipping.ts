import type { Tensor, Variable } from "@cotangent/autograd/functional";
import {
  add,
  cast,
  clamp,
  div,
  minimum,
  mul,
  norm,
  scalar,
  stack,
  ValueError,
} from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import { type Stage, variablesOf } from "./transform.ts";

export interface ClipNormOptions {
  /** Which norm: 2 unless given, `Infinity` for the largest element. */
  readonly normType?: number | undefined;
}

export interface ClipGradNormOptions extends ClipNormOptions {
  /** Throws ValueError if the norm is infinite or NaN, for which it is computed at once; not unless given. */
  readonly errorIfNonfinite?: boolean | undefined;
}

/** Shortens `gradients` so that their norm as one vector is at most `maxNorm`; gives that norm too. */
function clippedNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  { normType: p = 2 }: ClipNormOptions,
): { readonly total: Tensor; readonly clipped: readonly Tensor[] } {
  if (gradients.length === 0) return { total: scalar(0), clipped: [] };
  const dtype = gradients.some((g) => g.dtype === "float64") ? "float64" : "float32";
  const norms = gradients.map((g) => cast(norm(g, undefined, { p }), dtype));
  const total = norm(stack(norms), undefined, { p });
  const factor = minimum(div(maxNorm, add(total, 1e-6)), 1);
  return { total, clipped: gradients.map((g) => mul(g, cast(factor, g.dtype))) };
}

function checkLimit(name: string, limit: number): void {
  if (!(typeof limit === "number" && limit >= 0))
    throw new ValueError(`${name} is a number of at least 0, got ${String(limit)}`);
}

/** Applies `f` to the gradients that there are. */
function present(
  gradients: readonly (Tensor | null)[],
  f: (gradients: readonly Tensor[]) => readonly Tensor[],
): readonly (Tensor | null)[] {
  const changed = f(gradients.filter((g) => g !== null));
  let next = 0;
  return gradients.map((g) => g && changed[next++]!);
}

/**
 * A stage of an optimizer that shortens all gradients by one factor, if as one vector they are longer than `maxNorm` (Pascanu,
 * Mikolov and Bengio 2013). The factor is PyTorch's, `maxNorm / (norm + 1e-6)`. Throws ValueError for a `maxNorm` below 0.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { clipByNorm, SGD } from "@cotangent/nn";
 * const w = variable([3, -4]);
 * const optimizer = new SGD([w], { lr: 0.5, stages: [clipByNorm(5)] });
 * optimizer.step(w.square().sum());
 * w; // => Variable([ 1.5, -2.0], float32)
 * ```
 */
export function clipByNorm(maxNorm: number, given?: ClipNormOptions): Stage {
  checkLimit("clipByNorm: maxNorm", maxNorm);
  const options = optionsOf("clipByNorm", given, { normType: true });
  return () => ({
    update: (gradients, next) =>
      next(present(gradients, (all) => clippedNorm(all, maxNorm, options).clipped)),
  });
}

/**
 * A stage of an optimizer that brings each element of each gradient between `-clipValue` and `clipValue`. Throws ValueError for a
 * `clipValue` below 0.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { clipByValue, SGD } from "@cotangent/nn";
 * const w = variable([3, -0.25]);
 * const optimizer = new SGD([w], { lr: 1, stages: [clipByValue(1)] });
 * optimizer.step(w.square().sum());
 * w.toArray(); // => 2,0.25
 * ```
 */
export function clipByValue(clipValue: number): Stage {
  checkLimit("clipByValue: clipValue", clipValue);
  return () => ({
    update: (gradients, next) =>
      next(present(gradients, (all) => all.map((g) => clamp(g, -clipValue, clipValue)))),
  });
}

/**
 * Shortens what `backward` left in the `grad` of `parameters`, as `clipByNorm` does, and returns the norm that it had: PyTorch's
 * `clip_grad_norm_`. Parameters whose `grad` is null take no part. Throws ValueError for a `maxNorm` below 0 and what is no list of
 * variables.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { clipGradNorm } from "@cotangent/nn";
 * const w = variable([3, -4]);
 * w.square().sum().backward();
 * clipGradNorm([w], 5).item(); // => 10
 * w.grad; // => Tensor([ 3, -4], float32)
 * ```
 */
export function clipGradNorm(
  parameters: Iterable<Variable>,
  maxNorm: number,
  given?: ClipGradNormOptions,
): Tensor {
  checkLimit("clipGradNorm: maxNorm", maxNorm);
  const known = { normType: true, errorIfNonfinite: "boolean" } as const;
  const { errorIfNonfinite = false, ...options } = optionsOf("clipGradNorm", given, known);
  const reached = reachedOf("clipGradNorm", parameters);
  const { total, clipped } = clippedNorm(
    reached.map((parameter) => parameter.grad!),
    maxNorm,
    options,
  );
  if (errorIfNonfinite && !Number.isFinite(total.item()))
    throw new ValueError(
      `clipGradNorm: the norm of the gradients is ${total.item()}, so they cannot be clipped; look for NaN in the loss`,
    );
  reached.forEach((parameter, i) => {
    parameter.grad = clipped[i]!;
  });
  return total;
}

/**
 * Brings each element of what `backward` left in the `grad` of `parameters` between `-clipValue` and `clipValue`: PyTorch's
 * `clip_grad_value_`. Throws ValueError for a `clipValue` below 0 and what is no list of variables.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { clipGradValue } from "@cotangent/nn";
 * const w = variable([3, -0.25]);
 * w.square().sum().backward();
 * clipGradValue([w], 1);
 * w.grad; // => Tensor([ 1.0, -0.5], float32)
 * ```
 */
export function clipGradValue(parameters: Iterable<Variable>, clipValue: number): void {
  checkLimit("clipGradValue: clipValue", clipValue);
  for (const parameter of reachedOf("clipGradValue", parameters))
    parameter.grad = clamp(parameter.grad!, -clipValue, clipValue);
}

/** Those of `parameters` that `backward` has reached; there may be none. */
function reachedOf(name: string, parameters: Iterable<Variable>): readonly Variable[] {
  return variablesOf(name, parameters).filter(({ grad }) => grad !== null);
}
