import type { AvgPoolOptions, MaxPoolOptions, PerAxis, Tensor } from "@cotangent/autograd/functional";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  flatten,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  unflatten,
} from "@cotangent/autograd/functional";
import { Module } from "../module.ts";
import type { Known } from "../options.ts";
import type { Given } from "./settings.ts";
import { checkGiven, checkTensor, copied, settings } from "./settings.ts";

/**
 * Pools and changes of shape as layers. A layer takes what its function takes after the tensor, and prints it; the function checks
 * it when the layer is applied.
 */

/** A layer without parameters that gives a tensor of another shape. `MaxPool2d` and the others are names of this type too. */
export interface Reshaping extends Module {
  forward(x: Tensor): Tensor;
}

/** The class of a layer that is made with the arguments `Rest`. */
export type ReshapingClass<Rest extends readonly unknown[]> = new (...rest: Rest) => Reshaping;

/** A class called `name` that applies `f`; `given` are the names of the arguments, or of the options among them. */
export function reshaping<Rest extends readonly unknown[]>(
  name: string,
  f: (x: Tensor, ...rest: Rest) => Tensor,
  ...given: Given<NoInfer<Rest>>
): ReshapingClass<Rest> {
  class Applied extends Module implements Reshaping {
    readonly #rest: Rest;

    constructor(...rest: Rest) {
      super();
      checkGiven(name, rest, given);
      this.#rest = copied(rest);
    }

    forward(x: Tensor): Tensor {
      checkTensor(name, x);
      return f(x, ...this.#rest);
    }

    protected override details(): string {
      return this.#rest.flatMap((value, i) => settings(given[i], value)).join(", ");
    }
  }
  return Object.defineProperty(Applied, "name", { value: name });
}

type MaxPoolClass = ReshapingClass<[kernelSize: PerAxis, options?: MaxPoolOptions]>;
type AvgPoolClass = ReshapingClass<[kernelSize: PerAxis, options?: AvgPoolOptions]>;
type AdaptivePoolClass = ReshapingClass<[outputSize: number | readonly (number | null)[]]>;

const pool = { stride: true, padding: true, ceilMode: "boolean" } as const;
const maxPool: Known<MaxPoolOptions> = { ...pool, dilation: true };
const avgPool: Known<AvgPoolOptions> = { ...pool, countIncludePad: "boolean", divisorOverride: true };

/** `maxPool1d`: the largest entry of each window of [batch, channels, length]. */
export const MaxPool1d: MaxPoolClass = reshaping("MaxPool1d", maxPool1d, "kernelSize", maxPool);
export type MaxPool1d = Reshaping;

/**
 * `maxPool2d`: the largest entry of each window of [batch, channels, height, width].
 *
 * @example
 * ```ts
 * import { arange } from "@cotangent/autograd";
 * import { MaxPool2d } from "@cotangent/nn";
 * const layer = new MaxPool2d(2, { stride: 1 });
 * layer.forward(arange(9).reshape([1, 3, 3])).squeeze().toArray(); // => [ [ 4, 5 ], [ 7, 8 ] ]
 * layer; // => MaxPool2d(kernelSize=2, stride=1)
 * ```
 */
export const MaxPool2d: MaxPoolClass = reshaping("MaxPool2d", maxPool2d, "kernelSize", maxPool);
export type MaxPool2d = Reshaping;

/** `maxPool3d`: the largest entry of each window of [batch, channels, depth, height, width]. */
export const MaxPool3d: MaxPoolClass = reshaping("MaxPool3d", maxPool3d, "kernelSize", maxPool);
export type MaxPool3d = Reshaping;

/** `avgPool1d`: the mean of each window of [batch, channels, length]. */
export const AvgPool1d: AvgPoolClass = reshaping("AvgPool1d", avgPool1d, "kernelSize", avgPool);
export type AvgPool1d = Reshaping;

/** `avgPool2d`: the mean of each window of [batch, channels, height, width]. */
export const AvgPool2d: AvgPoolClass = reshaping("AvgPool2d", avgPool2d, "kernelSize", avgPool);
export type AvgPool2d = Reshaping;

/** `avgPool3d`: the mean of each window of [batch, channels, depth, height, width]. */
export const AvgPool3d: AvgPoolClass = reshaping("AvgPool3d", avgPool3d, "kernelSize", avgPool);
export type AvgPool3d = Reshaping;

/** `adaptiveAvgPool1d`: the means of so many parts of [batch, channels, length]. */
export const AdaptiveAvgPool1d: AdaptivePoolClass = reshaping(
  "AdaptiveAvgPool1d",
  adaptiveAvgPool1d,
  "outputSize",
);
export type AdaptiveAvgPool1d = Reshaping;

/** `adaptiveAvgPool2d`: the means of so many parts of [batch, channels, height, width]. */
export const AdaptiveAvgPool2d: AdaptivePoolClass = reshaping(
  "AdaptiveAvgPool2d",
  adaptiveAvgPool2d,
  "outputSize",
);
export type AdaptiveAvgPool2d = Reshaping;

/** `adaptiveAvgPool3d`: the means of so many parts of [batch, channels, depth, height, width]. */
export const AdaptiveAvgPool3d: AdaptivePoolClass = reshaping(
  "AdaptiveAvgPool3d",
  adaptiveAvgPool3d,
  "outputSize",
);
export type AdaptiveAvgPool3d = Reshaping;

/** `adaptiveMaxPool1d`: the largest entries of so many parts of [batch, channels, length]. */
export const AdaptiveMaxPool1d: AdaptivePoolClass = reshaping(
  "AdaptiveMaxPool1d",
  adaptiveMaxPool1d,
  "outputSize",
);
export type AdaptiveMaxPool1d = Reshaping;

/** `adaptiveMaxPool2d`: the largest entries of so many parts of [batch, channels, height, width]. */
export const AdaptiveMaxPool2d: AdaptivePoolClass = reshaping(
  "AdaptiveMaxPool2d",
  adaptiveMaxPool2d,
  "outputSize",
);
export type AdaptiveMaxPool2d = Reshaping;

/** `adaptiveMaxPool3d`: the largest entries of so many parts of [batch, channels, depth, height, width]. */
export const AdaptiveMaxPool3d: AdaptivePoolClass = reshaping(
  "AdaptiveMaxPool3d",
  adaptiveMaxPool3d,
  "outputSize",
);
export type AdaptiveMaxPool3d = Reshaping;

/**
 * `flatten`: the axes from `startAxis` (1 unless given, so that batches stay apart) to `endAxis` (the last) as one.
 *
 * @example
 * ```ts
 * import { zeros } from "@cotangent/autograd";
 * import { Flatten } from "@cotangent/nn";
 * new Flatten().forward(zeros([8, 16, 7, 7])).shape; // => [ 8, 784 ]
 * ```
 */
export const Flatten: ReshapingClass<[startAxis?: number, endAxis?: number]> = reshaping(
  "Flatten",
  (x: Tensor, startAxis = 1, endAxis = -1) => flatten(x, startAxis, endAxis),
  "startAxis",
  "endAxis",
);
export type Flatten = Reshaping;

/** `unflatten`: one axis parted into axes of these sizes, of which one may be -1. */
export const Unflatten: ReshapingClass<[axis: number, sizes: readonly number[]]> = reshaping(
  "Unflatten",
  unflatten,
  "axis",
  "sizes",
);
export type Unflatten = Reshaping;
