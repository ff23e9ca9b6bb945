import type { Operand, Shape, Tensor } from "@cotangent/autograd/functional";
import { hideFrames, sum, ValueError } from "@cotangent/autograd/functional";
import { checkCount, shown } from "../options.ts";
import { Distribution, type Source } from "./distribution.ts";

hideFrames(import.meta.url);

/**
 * A distribution whose last `axes` batch axes are axes of one event, and independent: `logProb` and `entropy` are sums over them. A normal
 * distribution with a diagonal covariance is `new Independent(new Normal(loc, scale), 1)`.
 *
 * Throws ValueError for what is no distribution and unless `axes` is a whole number from 0 up to the number of batch axes.
 *
 * @example
 * ```ts
 * import { zeros } from "@cotangent/autograd";
 * import { Independent, Normal } from "@cotangent/nn/distributions";
 * const p = new Independent(new Normal(zeros([4, 3]), 1), 1);
 * [p.batchShape, p.eventShape]; // => [ [ 4 ], [ 3 ] ]
 * p.logProb(zeros([3])).shape; // => [ 4 ]
 * ```
 */
export class Independent<D extends Distribution = Distribution> extends Distribution {
  readonly name: string = "Independent";
  readonly base: D;
  /** How many batch axes of `base` belong to an event. */
  readonly axes: number;

  constructor(base: D, axes: number) {
    checkDistribution("Independent: base", base);
    const { batchShape, eventShape, dtype } = base;
    checkCount("Independent: axes", axes, 0);
    const kept = batchShape.length - axes;
    if (kept < 0)
      throw new ValueError(
        `Independent: axes is at most the number of batch axes of ${base.name} [${batchShape.join(", ")}], got ${axes}`,
      );
    super(batchShape.slice(0, kept), [...batchShape.slice(kept), ...eventShape], dtype);
    this.base = base;
    this.axes = axes;
  }

  override logProb(x: Operand): Tensor {
    return this.#summed(this.base.logProb(x));
  }

  override sample(shape: Shape = [], options?: Source): Tensor {
    return this.base.sample(shape, options);
  }

  override rsample(shape: Shape = [], options?: Source): Tensor {
    return this.base.rsample(shape, options);
  }

  override entropy(): Tensor {
    return this.#summed(this.base.entropy());
  }

  override get mean(): Tensor {
    return this.base.mean;
  }

  override get variance(): Tensor {
    return this.base.variance;
  }

  override get stddev(): Tensor {
    return this.base.stddev;
  }

  override get mode(): Tensor {
    return this.base.mode;
  }

  #summed(x: Tensor): Tensor {
    return summed(x, this.axes);
  }
}

/** The sum over the last `axes` axes. */
export function summed(x: Tensor, axes: number): Tensor {
  return axes === 0
    ? x
    : sum(
        x,
        Array.from({ length: axes }, (_, i) => i - axes),
      );
}

/** Throws ValueError unless `x` is a distribution. */
export function checkDistribution(what: string, x: unknown): void {
  if (!(x instanceof Distribution))
    throw new ValueError(`${what} is a distribution such as new Normal(0, 1), got ${shown(x)}`);
}
