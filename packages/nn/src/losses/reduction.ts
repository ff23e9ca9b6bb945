import type { Shape, SizesOf } from "@cotangent/autograd/functional";
import {
  DTypeError,
  hideFrames,
  mean,
  ShapeError,
  sum,
  type Tensor,
  ValueError,
} from "@cotangent/autograd/functional";
import type { Known } from "../options.ts";
import { checkPair, optionsOf } from "../options.ts";

hideFrames(import.meta.url);

/** What becomes of the losses of the elements: their mean, their sum, or they stay as they are. */
export type Reduction = "mean" | "sum" | "none";

/** The shape of a loss: one number, or with `"none"` one for each element. */
export type LossShape<S extends Shape, R extends Reduction> = R extends "none" ? S : [];

export interface LossOptions<R extends Reduction = Reduction> {
  /** `"mean"` unless given. */
  readonly reduction?: R | undefined;
}

/** A loss of a prediction and a target of the same shape, with options of its own besides. */
export type LossWith<Options> = <X extends Tensor, R extends Reduction = "mean">(
  prediction: X,
  target: Tensor<SizesOf<X>>,
  options?: LossOptions<R> & Options,
) => Tensor<LossShape<SizesOf<X>, R>>;

/** A loss of a prediction and a target of the same shape. */
export type Loss = LossWith<unknown>;

/** A loss from what it is for one element, with the options that it has besides `reduction`. It never broadcasts. */
export function elementwise<Options = unknown>(
  name: string,
  loss: (prediction: Tensor, target: Tensor, options: Options) => Tensor,
  known?: Known<Options>,
): LossWith<Options> {
  return ((prediction: Tensor, target: Tensor, options?: LossOptions & Options): Tensor => {
    checkSameShape(name, prediction, target);
    const given = optionsOf<object>(name, options, { reduction: true, ...known }) as LossOptions & Options;
    return reduced(name, loss(prediction, target, given), given);
  }) as LossWith<Options>;
}

/** Throws unless both are tensors, and not bool. */
export function checkTensors(name: string, prediction: Tensor, target: Tensor): void {
  checkPair(name, prediction, target);
  if (prediction.dtype === "bool" || target.dtype === "bool")
    throw new DTypeError(
      `${name}: takes no bool, got a prediction of ${prediction.dtype} and a target of ${target.dtype}; cast it to float32 first`,
    );
}

/** Throws unless both are tensors of one shape. */
export function checkSameShape(name: string, prediction: Tensor, target: Tensor): void {
  checkTensors(name, prediction, target);
  if (equal(prediction.shape, target.shape)) return;
  const remedy =
    prediction.size === target.size
      ? `reshape one of them, for example target.reshape(${format(prediction.shape)})`
      : "a loss compares element by element and does not broadcast";
  throw new ShapeError(
    `${name}: prediction ${format(prediction.shape)} and target ${format(target.shape)} differ in shape; ${remedy}`,
  );
}

/** What `reduction` makes of the losses of the elements. */
export function reduced(
  name: string,
  losses: Tensor,
  { reduction = "mean" }: LossOptions,
  known = "mean, sum and none",
): Tensor {
  switch (reduction) {
    case "mean":
      return mean(losses);
    case "sum":
      return sum(losses);
    case "none":
      return losses;
    default:
      throw new ValueError(`${name}: unknown reduction ${String(reduction)}; the reductions are ${known}`);
  }
}

export const format = (shape: Shape): string => `[${shape.join(", ")}]`;
export const equal = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);
