import type { CreateOptions, Shape, SizesOf, Tensor } from "@cotangent/autograd/functional";
import {
  DTypeError,
  groupNorm,
  layerNorm,
  ones,
  rmsNorm,
  ShapeError,
  ValueError,
  zeros,
} from "@cotangent/autograd/functional";
import { Module, Parameter } from "../module.ts";
import { checkNumber, optionsOf, shown } from "../options.ts";
import { checkTensor } from "./settings.ts";

/** Normalizations of each example by itself: they do the same in training and outside of it. */

/** Throws ValueError unless all sizes are whole numbers of at least 1 and `eps` one of at least 0, DTypeError unless `dtype` is a float. */
function checked(name: string, sizes: readonly number[], eps: number, dtype: string): void {
  checkNumber(`${name}: eps`, eps, 0);
  if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1))
    throw new ValueError(`${name}: takes whole numbers of at least 1, got [${sizes.map(shown).join(", ")}]`);
  if (dtype !== "float32" && dtype !== "float64")
    throw new DTypeError(`${name}: the parameters cannot be ${dtype}; use float32 or float64`);
}

/** Throws ShapeError unless the last axes of `x` are `sizes`. */
function checkEnd(name: string, x: Tensor, sizes: Shape): void {
  checkTensor(name, x);
  const end = x.shape.slice(Math.max(0, x.rank - sizes.length));
  if (end.join() !== sizes.join())
    throw new ShapeError(
      `${name}: takes [..., ${sizes.join(", ")}], got shape [${x.shape.join(", ")}]; reshape the input, or make the layer with ` +
        "what it ends in",
    );
}

const sizesOf = (shape: number | Shape): Shape => (Array.isArray(shape) ? [...shape] : [shape as number]);

export interface LayerNormOptions extends CreateOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number | undefined;
  /** Has a weight, and a bias unless that is left out; true unless given. */
  readonly elementwiseAffine?: boolean | undefined;
  /** Has a bias; true unless given. */
  readonly bias?: boolean | undefined;
}

/**
 * Normalizes `x` over its last axes, which have the sizes `normalizedShape`, see `layerNorm`; `weight` and `bias` of these sizes
 * start at 1 and 0. Throws ValueError for sizes that are not whole numbers above 0; `forward` throws ShapeError if `x` ends in
 * others.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { LayerNorm } from "@cotangent/nn";
 * new LayerNorm(2, { eps: 0 }).forward(tensor([[1, 3], [10, 30]])).toArray(); // => -1,1,-1,1
 * ```
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    const {
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
      dtype = "float32",
    } = optionsOf("LayerNorm", options, {
      eps: true,
      elementwiseAffine: "boolean",
      bias: "boolean",
      dtype: true,
    });
    const sizes = sizesOf(normalizedShape);
    checked("LayerNorm", sizes, eps, dtype);
    this.normalizedShape = sizes;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter<Shape>(ones(sizes, { dtype })).named("weight") : null;
    const biased = elementwiseAffine && bias;
    this.bias = biased ? new Parameter<Shape>(zeros(sizes, { dtype })).named("bias") : null;
  }

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    const { normalizedShape, eps, weight, bias } = this;
    checkEnd("LayerNorm", x, normalizedShape);
    return layerNorm(x, normalizedShape, weight ?? undefined, bias ?? undefined, { eps });
  }

  protected override details(): string {
    const { normalizedShape, eps, weight } = this;
    return `[${normalizedShape.join(", ")}], eps=${eps}, elementwiseAffine=${weight !== null}`;
  }
}

export interface RMSNormOptions extends CreateOptions {
  /** Added to the mean of the squares; the distance from 1 to the next number of the dtype unless given. */
  readonly eps?: number | undefined;
  /** Has a weight; true unless given. */
  readonly elementwiseAffine?: boolean | undefined;
}

/**
 * Divides `x` by the root of the mean of its squares over the last axes, which have the sizes `normalizedShape`, see `rmsNorm`;
 * `weight` of these sizes starts at 1. Throws as `LayerNorm` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { RMSNorm } from "@cotangent/nn";
 * new RMSNorm(2, { eps: 0 }).forward(tensor([[1, 1], [-2, 2]])).toArray(); // => 1,1,-1,1
 * ```
 */
export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number | undefined;
  readonly weight: Parameter | null;

  constructor(normalizedShape: number | Shape, options: RMSNormOptions = {}) {
    super();
    const {
      eps,
      elementwiseAffine = true,
      dtype = "float32",
    } = optionsOf("RMSNorm", options, { eps: true, elementwiseAffine: "boolean", dtype: true });
    const sizes = sizesOf(normalizedShape);
    checked("RMSNorm", sizes, eps ?? 0, dtype);
    this.normalizedShape = sizes;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter<Shape>(ones(sizes, { dtype })).named("weight") : null;
  }

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    const { normalizedShape, eps, weight } = this;
    checkEnd("RMSNorm", x, normalizedShape);
    return rmsNorm(x, normalizedShape, weight ?? undefined, eps === undefined ? {} : { eps });
  }

  protected override details(): string {
    const { normalizedShape, eps, weight } = this;
    return `[${normalizedShape.join(", ")}], eps=${eps ?? "null"}, elementwiseAffine=${weight !== null}`;
  }
}

export interface GroupNormOptions extends CreateOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number | undefined;
  /** Has a weight and a bias for each channel; true unless given. */
  readonly affine?: boolean | undefined;
}

/**
 * Normalizes `x` [n, numChannels, ...] over the channels of each of `numGroups` groups and all axes behind them, see `groupNorm`;
 * `weight` and `bias` [numChannels] start at 1 and 0. Throws ValueError unless both are whole numbers of at least 1 and the groups
 * divide the channels; `forward` throws ShapeError if `x` has other channels.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { GroupNorm } from "@cotangent/nn";
 * new GroupNorm(2, 4, { eps: 0 }).forward(tensor([[1, 3, 10, 30]])).toArray(); // => -1,1,-1,1
 * ```
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter<[number]> | null;
  readonly bias: Parameter<[number]> | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    const {
      eps = 1e-5,
      affine = true,
      dtype = "float32",
    } = optionsOf("GroupNorm", options, { eps: true, affine: "boolean", dtype: true });
    checked("GroupNorm", [numGroups, numChannels], eps, dtype);
    if (numChannels % numGroups !== 0)
      throw new ValueError(`GroupNorm: ${numGroups} groups do not divide ${numChannels} channels`);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter<[number]>(ones([numChannels], { dtype })).named("weight") : null;
    this.bias = affine ? new Parameter<[number]>(zeros([numChannels], { dtype })).named("bias") : null;
  }

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    const { numGroups, numChannels, eps, weight, bias } = this;
    checkTensor("GroupNorm", x);
    if (x.shape[1] !== numChannels)
      throw new ShapeError(
        `GroupNorm(${numGroups}, ${numChannels}): takes [n, ${numChannels}, ...], got shape [${x.shape.join(", ")}]`,
      );
    return groupNorm(x, numGroups, weight ?? undefined, bias ?? undefined, { eps });
  }

  protected override details(): string {
    const { numGroups, numChannels, eps, weight } = this;
    return `numGroups=${numGroups}, numChannels=${numChannels}, eps=${eps}, affine=${weight !== null}`;
  }
}
