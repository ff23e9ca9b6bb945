import type { SizesOf, Tensor } from "@cotangent/autograd/functional";
import {
  batchNorm,
  instanceNorm,
  mean,
  mul,
  reshape,
  square,
  sub,
  unsqueeze,
  ValueError,
} from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import type { ChannelNormOptions } from "./channels.ts";
import { ChannelNorm, channelNorm } from "./channels.ts";

/** `momentum` is a number: there is no count of batches to make a mean with. */
export type InstanceNormOptions = ChannelNormOptions & { readonly momentum?: number | undefined };

/** What the three of them share: they differ in the axes that they take. */
abstract class InstanceNorm extends ChannelNorm {
  constructor(numFeatures: number, options: InstanceNormOptions = {}) {
    const given = optionsOf(new.target.name, options, channelNorm);
    if (given.momentum === null)
      throw new ValueError(`${new.target.name}: momentum is a share from 0 to 1, got null`);
    super(numFeatures, {
      eps: 1e-5,
      momentum: 0.1,
      affine: false,
      trackRunningStats: false,
      dtype: "float32",
      ...given,
    });
  }

  /** The names of the axes behind the channels. */
  protected abstract field(): string;

  forward<X extends Tensor>(x: X): Tensor<SizesOf<X>> {
    const single = `c, ${this.field()}`;
    this.check(x, [`n, ${single}`, single]);
    const batched = x.rank === single.split(", ").length ? (unsqueeze(x as Tensor, 0) as Tensor) : x;
    return reshape(this.#normalized(batched), x.shape) as Tensor<SizesOf<X>>;
  }

  #normalized(x: Tensor): Tensor {
    const { training, eps, runningMean, runningVar } = this;
    if (!training && runningMean && runningVar)
      return batchNorm(x, runningMean, runningVar, ...this.affine, { eps });
    const out = instanceNorm(x, ...this.affine, { eps });
    if (this.tracks(x)) this.#track(x);
    return out;
  }

  /** The running statistics are those of the instances, averaged over the batch; batches are not counted, as in PyTorch. */
  #track(x: Tensor): void {
    const axes = x.shape.flatMap((_, i) => (i < 2 ? [] : [i]));
    const [n, channels] = x.shape as [number, number];
    const count = x.size / (n * channels);
    const center: Tensor = mean(x, axes, { keepDims: true });
    const spread: Tensor = mean(square(sub(x, center) as Tensor), axes, { keepDims: true });
    const averaged = (y: Tensor): Tensor => mean(reshape(y, [n, channels]) as Tensor, 0);
    this.track(averaged(center), mul(averaged(spread), count / (count - 1)), false);
  }
}

/**
 * Normalizes each channel of each example of `x` [n, channels, length] or [channels, length] over its length, see `instanceNorm`.
 * Unless asked for there are neither weight and bias (`affine`) nor running statistics (`trackRunningStats`, which it then
 * normalizes by outside of training).
 *
 * Throws ValueError or DTypeError for options that make no sense; `forward` throws ShapeError if `x` does not fit.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { InstanceNorm1d } from "@cotangent/nn";
 * new InstanceNorm1d(2, { eps: 0 }).forward(tensor([[[1, 3], [10, 30]]])).toArray(); // => -1,1,-1,1
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  protected field(): string {
    return "length";
  }
}

/** `InstanceNorm1d` for `x` [n, channels, height, width] or [channels, height, width]. */
export class InstanceNorm2d extends InstanceNorm {
  protected field(): string {
    return "height, width";
  }
}

/** `InstanceNorm1d` for `x` [n, channels, depth, height, width] or [channels, depth, height, width]. */
export class InstanceNorm3d extends InstanceNorm {
  protected field(): string {
    return "depth, height, width";
  }
}
