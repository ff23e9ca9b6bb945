import { forward, reverse } from "../differentiate.ts";
import type { DType } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { DTypeError, GradientError, ValueError } from "../errors.ts";
import { Tensor } from "../graph.ts";
import { checkTensor, describe, onesLike, zerosLike } from "../ops/leaf.ts";
import type { Known } from "../options.ts";
import { optionsOf } from "../options.ts";
import type { Shape } from "../shape.ts";
import { checkList, equalShapes, formatShape } from "../shape.ts";

export interface GradOptions {
  /** Weighs the elements of an output that has several; of its shape and dtype. */
  readonly cotangent?: Tensor | undefined;
  /** What an input gets that the output does not depend on: an exact zero (unless given), an error, or null. */
  readonly unused?: "zero" | "error" | "null" | undefined;
}

const asking: Known<GradOptions> = { cotangent: true, unused: true };

/** A gradient for each input, of its shape; `Missing` is what may stand in the place of one. */
export type Gradients<T extends readonly Tensor[], Missing = never> = {
  -readonly [K in keyof T]: (T[K] extends Tensor<infer S extends Shape> ? Tensor<S> : Tensor) | Missing;
};

/**
 * The derivatives of `y` by each of `inputs`: nodes of the shapes of the inputs, to be read, printed, compiled or
 * differentiated again.
 *
 * A variable means the version that `y` was built on. An input that `y` does not reach has derivative 0. Throws
 * GradientError if `y` has several elements and no `cotangent` is given, if `y` or an input is int32 or bool, if `y`
 * was built on two versions of one variable, or if it depends on an input through what a compiled function returned.
 *
 * @example
 * ```ts
 * import { grad, scalar } from "@cotangent/autograd";
 * const x = scalar(3);
 * const [dx] = grad(x.mul(x), [x]);
 * dx.item(); // => 6
 * ```
 */
export function grad<const T extends readonly Tensor[], U extends "zero" | "error" | "null" = "zero">(
  y: Tensor,
  inputs: T,
  options?: GradOptions & { readonly unused?: U | undefined },
): Gradients<T, "null" extends U ? null : never>;
export function grad(y: Tensor, inputs: readonly Tensor[], options?: GradOptions): (Tensor | null)[] {
  const { cotangent: given, unused } = optionsOf("grad", options, asking);
  checkFloat("grad", "the output", y);
  const out = y.node;
  checkList("grad", inputs, "[x]");
  inputs.forEach((x, i) => {
    checkFloat("grad", `input ${i}`, x);
  });
  const cotangent = given ?? unit(out);
  checkCotangent("grad", cotangent, out);
  const found = reverse([out], [cotangent.node], inputs);
  const i = unused === "error" ? found.indexOf(null) : -1;
  if (i >= 0)
    throw new GradientError(
      `grad: the output does not depend on input ${i} (${inputs[i]!.label ?? "unnamed"} of shape ` +
        `${formatShape(inputs[i]!.shape)}); leave it out, or take zeros with unused: "zero"`,
    );
  return unused === "null" ? found : found.map((g, i) => g ?? zerosLike(inputs[i]!));
}

/** Throws ValueError unless the cotangent is a tensor, GradientError or DTypeError unless it has the shape and dtype of `y`. */
export function checkCotangent(name: string, cotangent: Tensor, y: Tensor): void {
  checkTensor(`${name}: the cotangent`, cotangent);
  if (!equalShapes(cotangent.shape, y.shape))
    throw new GradientError(
      `${name}: the cotangent has shape ${formatShape(cotangent.shape)} and the output ${formatShape(y.shape)}`,
    );
  checkFlow(name, "the cotangent", cotangent, "the output", y.dtype);
}

/** Throws DTypeError unless what flows has the dtype of what it belongs to: derivatives would have another than their inputs. */
export function checkFlow(name: string, what: string, flow: Tensor, of: string, dtype: DType): void {
  if (flow.dtype !== dtype)
    throw new DTypeError(
      `${name}: ${what} is ${flow.dtype} and ${of} ${dtype}; cast it with cast("${dtype}")`,
    );
}

function unit(y: Tensor): Tensor {
  if (y.size !== 1)
    throw new GradientError(
      `grad: the output has shape ${formatShape(y.shape)}, not one element; reduce it with sum() or mean(), or pass { cotangent }`,
    );
  return onesLike(y);
}

/** Throws ValueError unless `x` is a tensor, GradientError unless it is a float. */
export function checkFloat(name: string, what: string, x: Tensor): void {
  if (!(x instanceof Tensor))
    throw new ValueError(
      `${name}: ${what} is ${describe(x)} and no tensor; keep tensors, and call item() to print`,
    );
  if (!isFloat(x.dtype))
    throw new GradientError(
      `${name}: ${what} is ${x.dtype}; only float32 and float64 have derivatives; cast it first`,
    );
}

/**
 * The derivative of `y` when each of `inputs` moves along its tangent (of the same shape and dtype): one number per element of
 * `y`. Throws GradientError for int32 or bool, and GradientError or DTypeError if a tangent's shape or dtype is not its input's.
 */
export function pushforward(y: Tensor, inputs: readonly Tensor[], tangents: readonly Tensor[]): Tensor {
  checkFloat("pushforward", "the output", y);
  const out = y.node;
  for (const list of [inputs, tangents]) checkList("pushforward", list, "[x]");
  if (tangents.length > inputs.length)
    throw new GradientError(
      `pushforward: there are ${tangents.length} tangents and ${inputs.length} inputs; give one for each input`,
    );
  inputs.forEach((x, i) => {
    checkFloat("pushforward", `input ${i}`, x);
    const t = tangents[i];
    if (!(t instanceof Tensor && equalShapes(t.shape, x.shape)))
      throw new GradientError(
        `pushforward: input ${i} has shape ${formatShape(x.shape)} and its tangent ` +
          (t instanceof Tensor ? formatShape(t.shape) : `is ${t === undefined ? "missing" : describe(t)}`),
      );
    checkFlow("pushforward", `tangent ${i}`, t, "its input", x.dtype);
  });
  return (
    forward(
      [out],
      inputs,
      tangents.map((t) => t.node),
    )[0] ?? zerosLike(out)
  );
}
