import type { SizesOf, Tensor } from "@cotangent/autograd/functional";
import { batchNorm, mean, mul, reshape, square, sub } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import type { ChannelNormOptions } from "./channels.ts";
import { ChannelNorm, channelNorm } from "./channels.ts";

/** What the three of them share: they differ in the axes that they take. */
abstract class BatchNorm extends ChannelNorm {
  constructor(numFeatures: number, options: ChannelNormOptions = {}) {
    super(numFeatures, {
      eps: 1e-5,
      momentum: 0.1,
      affine: true,
      trackRunningStats: true,
      dtype: "float32",
      ...optionsOf(new.target.name, options, channelNorm),
    });
  }

  protected abstract forms(): readonly string[];

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    this.check(x, this.forms());
    const { training, eps, runningMean, runningVar } = this;
    if (!training && runningMean && runningVar)
      return batchNorm(x, runningMean, runningVar, ...this.affine, { eps });
    const out = batchNorm(x, undefined, undefined, ...this.affine, { training: true, eps });
    if (this.tracks(x)) this.#track(x);
    return out;
  }

  #track(x: Tensor): void {
    const axes = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
    const count = x.size / this.numFeatures;
    // Written as batchNorm does it, so that a program computes it once.
    const center: Tensor = mean(x, axes, { keepDims: true });
    const spread: Tensor = mean(square(sub(x, center) as Tensor), axes, { keepDims: true });
    const line = [this.numFeatures];
    this.track(reshape(center, line), mul(reshape(spread, line) as Tensor, count / (count - 1)));
  }
}

/**
 * Normalizes each channel of `x` [n, channels] or [n, channels, length] over all else, see `batchNorm`: in training by the mean and
 * the variance of the batch, which also move the running statistics (the variance with correction, as in PyTorch), otherwise by
 * the running statistics. Inside `compile` they are updated at each call.
 *
 * Throws ValueError or DTypeError for options that make no sense; `forward` throws ShapeError if `x` does not fit, and in training
 * ValueError if there is only one number for each channel.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { BatchNorm1d } from "@cotangent/nn";
 * const layer = new BatchNorm1d(1, { eps: 0, momentum: 0.5 });
 * layer.forward(tensor([[1], [3]])).toArray(); // => -1,1
 * layer.runningMean?.toArray(); // => 1
 * layer.eval().forward(tensor([[1]])).toArray(); // => 0
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected forms(): readonly string[] {
    return ["n, c", "n, c, length"];
  }
}

/** `BatchNorm1d` for `x` [n, channels, height, width]. */
export class BatchNorm2d extends BatchNorm {
  protected forms(): readonly string[] {
    return ["n, c, height, width"];
  }
}

/** `BatchNorm1d` for `x` [n, channels, depth, height, width]. */
export class BatchNorm3d extends BatchNorm {
  protected forms(): readonly string[] {
    return ["n, c, depth, height, width"];
  }
}
