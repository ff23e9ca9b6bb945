/** Normalization: the distance from the mean, in units of the deviation. */
import type { DType } from "../dtype.ts";
import { ShapeError, ValueError } from "../errors.ts";
import type { Tensor } from "../graph.ts";
import { optionsOf } from "../options.ts";
import { equalShapes, formatShape, sizeOf } from "../shape.ts";
import type { UnaryWith } from "../signature.ts";
import { rsqrt } from "./elementary.ts";
import { checkNumber, floated } from "./elementwise.ts";
import { describe } from "./leaf.ts";
import { reshape } from "./movement.ts";
import { add, mul, square, sub } from "./pointwise.ts";
import { mean } from "./reduction.ts";
import type { Draw } from "./sample.ts";
import { composed } from "./sample.ts";

type Stable = {
  /** Added to the variance, so that there is no division by 0. */
  readonly eps?: number | undefined;
};

/** `x` less its mean over `axes`, divided by the root of its variance there plus `eps`. */
function standardized(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const centered = sub(x, mean(x, axes, { keepDims: true }));
  return mul(centered, rsqrt(add(mean(square(centered), axes, { keepDims: true }), eps)));
}

/** A parameter in the shape `placed`, in which it broadcasts. Throws ShapeError unless it has the shape `expected`. */
function parameter(
  name: string,
  what: string,
  x: Tensor,
  expected: readonly number[],
  placed: readonly number[],
): Tensor {
  const a = floated(name, x);
  if (!equalShapes(a.shape, expected))
    throw new ShapeError(
      `${name}: ${what} has shape ${formatShape(a.shape)}; it must be ${formatShape(expected)}`,
    );
  return equalShapes(expected, placed) ? a : reshape(a, placed);
}

const isGiven = (x: Tensor | undefined | null): x is Tensor => x !== undefined && x !== null;

/** `x` times `weight` plus `bias`, where they are given. */
function scaled(
  name: string,
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  expected: readonly number[],
  placed: readonly number[] = expected,
): Tensor {
  const stretched = isGiven(weight) ? mul(x, parameter(name, "weight", weight, expected, placed)) : x;
  return isGiven(bias) ? add(stretched, parameter(name, "bias", bias, expected, placed)) : stretched;
}

/** Throws ValueError unless `eps` is a number that can be added. */
function checkEps(name: string, eps: number): void {
  checkNumber(name, "eps", eps);
  if (!(eps >= 0 && eps < Infinity))
    throw new ValueError(`${name}: eps is ${eps}; it is added to a variance, so give a number of at least 0`);
}

/** The channels of `x` [n, channels, ...], and the shape in which one number for each broadcasts. */
function channelsOf(name: string, x: Tensor, least: number): { shape: number[]; placed: number[] } {
  if (x.rank < least) {
    const axes = least === 2 ? "[n, channels, ...]" : "[n, channels, length, ...]";
    throw new ShapeError(
      `${name}: takes ${axes}, got shape ${formatShape(x.shape)}; reshape or unsqueeze it`,
    );
  }
  const channels = x.shape[1]!;
  return { shape: [channels], placed: x.shape.map((_, i) => (i === 1 ? channels : 1)) };
}

/** Throws ValueError if there is only one number to find a mean and a variance of: the result would be 0. */
function checkSeveral(name: string, x: Tensor, axes: readonly number[]): void {
  if (sizeOf(axes.map((i) => x.shape[i]!)) !== 1) return;
  throw new ValueError(
    `${name}: shape ${formatShape(x.shape)} has one number for each channel, whose variance is 0; give more examples` +
      (name === "batchNorm" ? ", or normalize by running statistics with { training: false }" : ""),
  );
}

type BatchStatistics = Stable & {
  /** Takes mean and variance from `x` itself, not from what is given. */
  readonly training?: boolean | undefined;
};

/**
 * `x` [n, channels, ...] with each channel less its mean, divided by the root of its variance plus `eps` (1e-5 unless given),
 * times `weight` [channels] plus `bias` [channels] where they are given (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167).
 * Mean and variance are `runningMean` and `runningVar` [channels], or with `training` those of the batch (the variance without
 * correction). The function changes nothing: it is the layer that keeps running statistics.
 *
 * Throws ShapeError if shapes do not fit, ValueError if there are no statistics, or in training only one number for each channel.
 *
 * @example
 * ```ts
 * import { batchNorm, tensor } from "@cotangent/autograd";
 * const x = tensor([[1, 10], [3, 30]]);
 * batchNorm(x, tensor([1, 10]), tensor([4, 100]), undefined, undefined, { eps: 0 }).toArray(); // => 0,0,1,2
 * batchNorm(x, undefined, undefined, undefined, undefined, { training: true, eps: 0 }).toArray(); // => -1,-1,1,1
 * ```
 */
export const batchNorm: UnaryWith<
  [
    runningMean: Tensor | undefined,
    runningVar: Tensor | undefined,
    weight?: Tensor,
    bias?: Tensor,
    options?: BatchStatistics,
  ]
> = composed(
  "batchNorm",
  (
    x: Tensor,
    runningMean: Tensor | undefined,
    runningVar: Tensor | undefined,
    weight?: Tensor,
    bias?: Tensor,
    options?: BatchStatistics,
  ) => {
    const { training = false, eps = 1e-5 } = optionsOf("batchNorm", options, {
      training: "boolean",
      eps: true,
    });
    const a = floated("batchNorm", x);
    checkEps("batchNorm", eps);
    const { shape, placed } = channelsOf("batchNorm", a, 2);
    const axes = a.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
    if (training) {
      checkSeveral("batchNorm", a, axes);
      return scaled("batchNorm", standardized(a, axes, eps), weight, bias, shape, placed);
    }
    if (!runningMean || !runningVar)
      throw new ValueError(
        "batchNorm: takes a mean and a variance; give both, or take those of the batch with { training: true }",
      );
    const centered = sub(a, parameter("batchNorm", "runningMean", runningMean, shape, placed));
    const spread = parameter("batchNorm", "runningVar", runningVar, shape, placed);
    return scaled("batchNorm", mul(centered, rsqrt(add(spread, eps))), weight, bias, shape, placed);
  },
  (draw) => {
    const [shape, channels] = batch(draw, 2);
    const given = [draw.tensor(channels), draw.tensor(channels, { low: 0.3, high: 2 })];
    return [draw.distinct(shape), ...given, ...both(draw, channels), { training: draw.coin() }];
  },
);

/** A shape [n, channels, ...] with several numbers for each channel, and the shape of the channels. */
function batch(draw: Draw, rank: number): [shape: number[], channels: [number]] {
  const channels = draw.integer(1, 3);
  return [[draw.integer(2, 3), channels, ...draw.shape(rank - 2, 2, rank === 2 ? 1 : 2)], [channels]];
}

/** A weight and a bias. */
const both = (draw: Draw, shape: readonly number[]): [weight: Tensor, bias: Tensor] => [
  draw.tensor(shape, { low: 0.5, high: 2 }),
  draw.tensor(shape),
];

/** The axes at the end of `x` whose sizes are `normalizedShape`. */
function lastAxes(name: string, x: Tensor, normalizedShape: number | readonly number[]): readonly number[] {
  const sizes = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  if (!Array.isArray(sizes) || sizes.length === 0)
    throw new ValueError(
      `${name}: normalizedShape is the size of the last axis, or a list of sizes of the last axes, got ${describe(normalizedShape)}`,
    );
  const start = x.rank - sizes.length;
  if (start < 0 || !equalShapes(x.shape.slice(start), sizes))
    throw new ShapeError(
      `${name}: shape ${formatShape(x.shape)} does not end in ${formatShape(sizes)}; normalizedShape says what it ends in`,
    );
  return sizes.map((_, i) => start + i);
}

/**
 * `x` less its mean over the last axes, which have the sizes `normalizedShape`, divided by the root of its variance there plus
 * `eps` (1e-5 unless given), times `weight` plus `bias` of these sizes where they are given (Ba, Kiros and Hinton 2016,
 * https://arxiv.org/abs/1607.06450). Throws ShapeError if shapes do not fit.
 *
 * @example
 * ```ts
 * import { layerNorm, tensor } from "@cotangent/autograd";
 * layerNorm(tensor([[1, 3], [10, 30]]), 2, tensor([1, 2]), undefined, { eps: 0 }).toArray(); // => -1,2,-1,2
 * ```
 */
export const layerNorm: UnaryWith<
  [normalizedShape: number | readonly number[], weight?: Tensor, bias?: Tensor, options?: Stable]
> = composed(
  "layerNorm",
  (
    x: Tensor,
    normalizedShape: number | readonly number[],
    weight?: Tensor,
    bias?: Tensor,
    options?: Stable,
  ) => {
    const { eps = 1e-5 } = optionsOf("layerNorm", options, { eps: true });
    const a = floated("layerNorm", x);
    checkEps("layerNorm", eps);
    const axes = lastAxes("layerNorm", a, normalizedShape);
    return scaled("layerNorm", standardized(a, axes, eps), weight, bias, a.shape.slice(axes[0]));
  },
  (draw) => {
    const last = draw.shape(1, 2, 2);
    return [draw.distinct([...draw.shape(0, 2), ...last]), last, ...both(draw, last)];
  },
);

/**
 * `layerNorm` over the channels of a group and all axes behind them: `x` [n, channels, ...] has `numGroups` groups of channels one
 * after the other, `weight` and `bias` have one number for each channel (Wu and He 2018, https://arxiv.org/abs/1803.08494).
 * Throws ShapeError if shapes do not fit, ValueError unless `numGroups` is a whole number above 0 that divides the channels.
 *
 * @example
 * ```ts
 * import { groupNorm, tensor } from "@cotangent/autograd";
 * groupNorm(tensor([[1, 3, 10, 30]]), 2, undefined, undefined, { eps: 0 }).toArray(); // => -1,1,-1,1
 * ```
 */
export const groupNorm: UnaryWith<[numGroups: number, weight?: Tensor, bias?: Tensor, options?: Stable]> =
  composed(
    "groupNorm",
    (x: Tensor, numGroups: number, weight?: Tensor, bias?: Tensor, options?: Stable) => {
      const { eps = 1e-5 } = optionsOf("groupNorm", options, { eps: true });
      const a = floated("groupNorm", x);
      checkEps("groupNorm", eps);
      const { shape, placed } = channelsOf("groupNorm", a, 2);
      const [n, channels] = a.shape as [number, number];
      if (!(Number.isInteger(numGroups) && numGroups > 0 && channels % numGroups === 0))
        throw new ValueError(
          `groupNorm: numGroups is a whole number above 0 that divides the ${channels} channels, got ${String(numGroups)}`,
        );
      const each = (channels / numGroups) * sizeOf(a.shape.slice(2));
      const groups = standardized(reshape(a, [n, numGroups, each]), [2], eps);
      return scaled("groupNorm", reshape(groups, a.shape), weight, bias, shape, placed);
    },
    (draw) => {
      const numGroups = draw.integer(1, 2);
      const channels = [numGroups * draw.integer(1, 2)];
      const shape = [draw.integer(1, 2), ...channels, 2, ...draw.shape(0, 1)];
      return [draw.distinct(shape), numGroups, ...both(draw, channels)];
    },
  );

/**
 * `groupNorm` with a group for each channel: `x` [n, channels, length, ...] less its mean over the axes behind the channels,
 * divided by the root of its variance there plus `eps` (1e-5 unless given), times `weight` [channels] plus `bias` [channels] where
 * they are given (Ulyanov, Vedaldi and Lempitsky 2016, https://arxiv.org/abs/1607.08022). Throws ShapeError if shapes do not fit,
 * ValueError if there is only one number for each channel.
 *
 * @example
 * ```ts
 * import { instanceNorm, tensor } from "@cotangent/autograd";
 * instanceNorm(tensor([[[1, 3], [10, 30]]]), undefined, undefined, { eps: 0 }).toArray(); // => -1,1,-1,1
 * ```
 */
export const instanceNorm: UnaryWith<[weight?: Tensor, bias?: Tensor, options?: Stable]> = composed(
  "instanceNorm",
  (x: Tensor, weight?: Tensor, bias?: Tensor, options?: Stable) => {
    const { eps = 1e-5 } = optionsOf("instanceNorm", options, { eps: true });
    const a = floated("instanceNorm", x);
    checkEps("instanceNorm", eps);
    const { shape, placed } = channelsOf("instanceNorm", a, 3);
    const axes = a.shape.flatMap((_, i) => (i < 2 ? [] : [i]));
    checkSeveral("instanceNorm", a, axes);
    return scaled("instanceNorm", standardized(a, axes, eps), weight, bias, shape, placed);
  },
  (draw) => {
    const [shape, channels] = batch(draw, 3);
    return [draw.distinct(shape), ...both(draw, channels)];
  },
);

/** The distance from 1 to the next number. */
const epsilonOf = (dtype: DType): number => (dtype === "float64" ? 2 ** -52 : 2 ** -23);

/**
 * `x` divided by the root of the mean of its squares over the last axes plus `eps`, times `weight` where it is given: `layerNorm`
 * without the mean (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467). `normalizedShape` are the sizes of the last axes;
 * `eps` is the distance from 1 to the next number of the dtype unless given. Throws ShapeError if shapes do not fit.
 *
 * @example
 * ```ts
 * import { rmsNorm, tensor } from "@cotangent/autograd";
 * rmsNorm(tensor([[2, 2], [0, 0]]), 2, undefined, { eps: 0.001 }); // => Tensor([[0.9999, 0.9999], [0.0000, 0.0000]], float32)
 * ```
 */
export const rmsNorm: UnaryWith<
  [normalizedShape: number | readonly number[], weight?: Tensor, options?: Stable]
> = composed(
  "rmsNorm",
  (x: Tensor, normalizedShape: number | readonly number[], weight?: Tensor, options?: Stable) => {
    const { eps } = optionsOf("rmsNorm", options, { eps: true });
    const a = floated("rmsNorm", x);
    if (eps !== undefined) checkEps("rmsNorm", eps);
    const axes = lastAxes("rmsNorm", a, normalizedShape);
    const size = mean(square(a), axes, { keepDims: true });
    const out = mul(a, rsqrt(add(size, eps ?? epsilonOf(a.dtype))));
    return scaled("rmsNorm", out, weight, undefined, a.shape.slice(axes[0]));
  },
  (draw) => {
    const last = draw.shape(1, 2);
    const weight = draw.tensor(last, { low: 0.5, high: 2 });
    return [draw.tensor([...draw.shape(0, 2), ...last], { low: 0.2, high: 2 }), last, weight, { eps: 0.01 }];
  },
);
